"""Lines over time, one below the other, as SVG."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _GAP = 720, 130, 60, 34


class Line(NamedTuple):
    """A line of the picture.

    Attributes:
        title: what it shows, with the unit.
        points: minutes and values.
    """

    title: str
    points: Sequence[tuple[float, float]]


def drawn(lines: Sequence[Line], spans: Sequence[tuple[float, float, str]] = ()) -> str:
    """Draw lines over the same minutes, each from zero upwards.

    Args:
        lines: at least one, each with at least one point.
        spans: minutes from and to of times that are shaded, with what happens then.
    """
    until = max(minutes for line in lines for minutes, _ in line.points)
    height = len(lines) * (_HEIGHT + _GAP) + 20
    shades = "".join(
        f'<rect x="{_x(begin, until):.1f}" width="{_x(end, until) - _x(begin, until):.1f}" y="0" '
        f'height="{height - 20}" fill="#fe9" opacity="0.5"/>'
        f'<text x="{_x(begin, until) + 4:.1f}" y="14">{name}</text>'
        for begin, end, name in spans
    )
    shown = "".join(_panel(line, until, index * (_HEIGHT + _GAP)) for index, line in enumerate(lines))
    step = max(1, round(until / 10))
    marks = "".join(
        f'<text x="{_x(minute, until):.1f}" y="{height - 4}" text-anchor="middle">{minute}</text>'
        for minute in range(0, int(until) + 1, step)
        if _x(minute, until) < _WIDTH - _LEFT / 2  # the unit stands at the end
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 20} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{shades}{shown}{marks}'
        f'<text x="{_WIDTH + 16}" y="{height - 4}" text-anchor="end">minutes</text></svg>\n'
    )


def _x(minutes: float, until: float) -> float:
    return _LEFT + minutes / until * (_WIDTH - _LEFT)


def _ticks(top: float) -> list[float]:
    """Return round values from 0 to below `top`, two to five."""
    power = 10.0 ** math.floor(math.log10(top))
    step = next(power * share for share in (0.2, 0.5, 1.0, 2.0, 5.0) if top / (power * share) <= 4)
    return [number * step for number in range(math.ceil(top / step))]


def _panel(line: Line, until: float, above: float) -> str:
    top = max(value for _, value in line.points) * 1.2 or 1.0
    below = above + _GAP - 10 + _HEIGHT

    def y(value: float) -> float:
        return below - value / top * _HEIGHT

    marks = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y(value):.0f}" y2="{y(value):.0f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.0f}" text-anchor="end">{value:g}</text>'
        for value in _ticks(top)
    )
    points = " ".join(f"{_x(minutes, until):.1f},{y(value):.1f}" for minutes, value in line.points)
    return (
        f'{marks}<text x="{_LEFT + 6}" y="{below - _HEIGHT + 4:.0f}">{line.title}</text>'
        f'<polyline points="{points}" fill="none" stroke="#1a6" stroke-width="1.5"/>'
    )
