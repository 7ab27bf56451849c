"""A flame graph as SVG without scripts: stacks above each other, whose width is the time spent in them."""

import zlib
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

Stack = tuple[str, ...]
"""What calls what, the outermost first."""

_WIDTH, _ROW, _MARGIN = 1200, 17, 24
_LEAST_PX = 0.6
_LETTER_PX = 6.3


class _Bar(NamedTuple):
    name: str
    depth: int
    begin_s: float
    length_s: float


def flame_graph(seconds: Mapping[Stack, float], title: str) -> str:
    """The picture as SVG; a bar tells its whole name and its share when it is pointed at.

    Args:
        seconds: processor time spent in each stack itself, without what it calls.
        title: stands above.
    """
    bars = _bars(seconds)
    total_s = sum(seconds.values())
    height = _MARGIN + _ROW * (2 + max((bar.depth for bar in bars), default=0))
    drawn = [_drawn(bar, total_s, height) for bar in bars if bar.length_s / total_s * _WIDTH >= _LEAST_PX]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="monospace" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="4" y="15" font-size="13">{escape(title)}</text>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _bars(seconds: Mapping[Stack, float]) -> list[_Bar]:
    """Bars of all stacks and of all that called them, callers first."""
    lengths: dict[Stack, float] = {}
    for stack, spent in seconds.items():
        for depth in range(1, len(stack) + 1):
            lengths[stack[:depth]] = lengths.get(stack[:depth], 0.0) + spent
    begins: dict[Stack, float] = {(): 0.0}
    bars = []
    # Beside each other in the order of their names, each behind those that were laid on the same caller before.
    for stack in sorted(lengths):
        begin = begins[stack[:-1]]
        begins[stack[:-1]] = begin + lengths[stack]
        begins[stack] = begin
        bars.append(_Bar(stack[-1], len(stack) - 1, begin, lengths[stack]))
    return bars


def _drawn(bar: _Bar, total_s: float, height: int) -> str:
    x, width = (value / total_s * _WIDTH for value in (bar.begin_s, bar.length_s))
    y = height - _ROW * (bar.depth + 1)
    # A colour by name, so that the same routine looks the same in two pictures.
    shade = zlib.crc32(bar.name.encode())
    colour = f"rgb({205 + shade % 50},{90 + shade // 50 % 130},{40 + shade // 6500 % 50})"
    letters = int((width - 4) / _LETTER_PX)
    label = bar.name if len(bar.name) <= letters else f"{bar.name[: letters - 1]}…" if letters > 3 else ""
    title = escape(f"{bar.name}: {1000 * bar.length_s:.0f} ms, {100 * bar.length_s / total_s:.1f} %")
    return (
        f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.3, 0.3):.1f}" height="{_ROW - 1}" '
        f'fill="{colour}"/><text x="{x + 2:.1f}" y="{y + 12}">{escape(label)}</text></g>'
    )
