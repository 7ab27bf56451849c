"""Draw a reliability plot as SVG: it shows for each confidence of the model the share of right words."""

from collections.abc import Mapping, Sequence

from glas.training.evaluation.logistic import Bin

_SIDE, _LEFT, _TOP = 320, 56, 16
_COLOURS = ("#1f6feb", "#d9730d", "#2a9d5c", "#9a3fb5", "#7a7a7a")


def plot(title: str, sets: Mapping[str, Sequence[Bin]]) -> str:
    """Return the text of an SVG file with a line of points for each set; a larger point stands for more words."""
    height = _TOP + _SIDE + 56 + 18 * len(sets)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _SIDE + 24} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="#fff"/>',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="{_x(0):g}" y1="{_y(0):g}" x2="{_x(1):g}" y2="{_y(1):g}" stroke="#999" stroke-dasharray="4 4"/>',
    ]
    for tenth in range(0, 11, 2):
        parts.append(f'<text x="{_x(tenth / 10):g}" y="{_y(0) + 16:g}" text-anchor="middle">{tenth / 10:g}</text>')
        parts.append(f'<text x="{_LEFT - 6}" y="{_y(tenth / 10) + 4:g}" text-anchor="end">{tenth / 10:g}</text>')
    parts.append(f'<text x="{_x(0.5):g}" y="{_y(0) + 34:g}" text-anchor="middle">{title}</text>')
    parts.append(
        f'<text x="14" y="{_y(0.5):g}" text-anchor="middle" transform="rotate(-90 14 {_y(0.5):g})">share right</text>'
    )
    for number, (name, found) in enumerate(sets.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        most = max((one.size for one in found), default=1)
        points = " ".join(f"{_x(one.said):.1f},{_y(one.right):.1f}" for one in found)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts += [
            f'<circle cx="{_x(one.said):.1f}" cy="{_y(one.right):.1f}" r="{2 + 6 * (one.size / most) ** 0.5:.1f}" '
            f'fill="{colour}" fill-opacity="0.5"/>'
            for one in found
        ]
        line_y = _y(0) + 54 + 18 * number
        parts.append(f'<circle cx="{_LEFT + 6}" cy="{line_y - 4:g}" r="5" fill="{colour}" fill-opacity="0.5"/>')
        parts.append(f'<text x="{_LEFT + 18}" y="{line_y:g}">{name}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _x(value: float) -> float:
    return _LEFT + value * _SIDE


def _y(value: float) -> float:
    return _TOP + (1 - value) * _SIDE
