"""Memory over requests, drawn."""

from collections.abc import Sequence


def drawn(values: Sequence[float]) -> str:
    """A line over requests as SVG: memory in MB from zero upwards."""
    width, height, left, below = 720, 240, 50, 30
    top = max(values) * 1.15
    points = " ".join(
        f"{left + index * (width - left) / len(values):.1f},{height - value / top * height:.1f}"
        for index, value in enumerate(values)
    )
    marks = "".join(
        f'<line x1="{left}" x2="{width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{mb:.0f}</text>'
        for mb, y in ((share * top, height - share * height) for share in (0, 0.25, 0.5, 0.75))
    )
    requests = "".join(
        f'<text x="{left + share * (width - left):.0f}" y="{height + 18}" text-anchor="middle">'
        f"{round(share * len(values)):,}</text>"
        for share in (0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 20} {height + below}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{marks}{requests}'
        f'<text x="{left + 6}" y="14">MB resident, by request</text>'
        f'<polyline points="{points}" fill="none" stroke="#1a6" stroke-width="1.5"/></svg>\n'
    )
