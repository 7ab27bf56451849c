"""Draw plots as SVG on the server.

The plots need no script. Their colours, for a light or a dark page, are defined in the style sheet.

All styles are CSS classes in `plot.css`, because the content security policy of the web pages permits no styles in the
HTML. Every plot has a name for screen readers, and a table next to the plot contains the numbers. Numbers are formatted
for the language of the page.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from glas.localisation.plurals import written

_WIDTH: Final = 360
_LEFT: Final = 42
_RIGHT: Final = 8
_TOP: Final = 10
_HEIGHT: Final = 120
_BOTTOM: Final = 22
_SIDE: Final = 220
_FEW: Final = 4
_LETTER: Final = 9.5
"""Estimated width of a letter in a label, in units of the plot; the estimate is for a phone with a wide font.

Phones have the widest letters, because `dashboard.css` makes letters larger on phones.
"""
_ROW: Final = 17
N_COLOURS: Final = 6
"""Number of colour classes (c0 to c5) in the style sheet.

If a plot has more series than there are colour classes, the seventh series has the class c0, and so on.
"""


def bars(title: str, values: Sequence[tuple[str, float]], language: str) -> Markup:
    """Draw a plot with one bar for each label; the tooltip of a bar shows the label and the value."""
    return stacks(title, [(label, (value,)) for label, value in values], language, colours=(0,))


def stacks(
    title: str, values: Sequence[tuple[str, Sequence[float]]], language: str, *, colours: Sequence[int]
) -> Markup:
    """Draw a plot with one bar of several parts for each label; `colours` are the colour classes of the parts."""
    most = _round_up(max((sum(parts) for _, parts in values), default=0))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(values), 1)
    drawn: list[Markup] = [*_scale(most, language)]
    for place, (label, parts) in enumerate(values):
        below = 0.0
        for colour, part in zip(colours, parts, strict=True):
            height = _HEIGHT * part / most
            y = _TOP + _HEIGHT - _HEIGHT * below / most - height
            drawn.append(
                Markup('<rect class="c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                    colour, _LEFT + place * step + step * 0.1, y, step * 0.8, height
                )
            )
            below += part
        # A wide target for the tooltip, also where the bar is low.
        drawn.append(
            Markup(
                '<rect class="hit" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>{}: {}</title></rect>'
            ).format(
                _LEFT + place * step, _TOP, step, _HEIGHT, label, " + ".join(_number(part, language) for part in parts)
            )
        )
    labels = [label for label, _ in values]
    drawn += _labels(labels)
    return _svg(title, _WIDTH, _TOP + _HEIGHT + _BOTTOM + (_n_rows(labels) - 1) * _ROW, drawn)


def lines(title: str, labels: Sequence[str], series: Mapping[str, Mapping[str, float]], language: str) -> Markup:
    """Draw a plot with a line and points for each series; the labels are on the horizontal axis.

    A series maps labels to values. If a series has no value for a label, the line of the series has no point at this
    label.
    """
    most = _round_up(max((value for one in series.values() for value in one.values()), default=0))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    drawn: list[Markup] = [*_scale(most, language)]
    for number, (name, values) in enumerate(series.items()):
        colour = number % N_COLOURS
        points = [
            (label, _LEFT + step * (place + 0.5), _TOP + _HEIGHT - _HEIGHT * values[label] / most)
            for place, label in enumerate(labels)
            if label in values
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in points)
        drawn.append(Markup('<polyline class="l{}" points="{}"/>').format(colour, path))
        drawn += [
            Markup('<circle class="c{}" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}, {}: {}</title></circle>').format(
                colour, x, y, name, label, _number(values[label], language)
            )
            for label, x, y in points
        ]
    drawn += _labels(labels)
    return _svg(title, _WIDTH, _TOP + _HEIGHT + _BOTTOM + (_n_rows(labels) - 1) * _ROW, drawn)


def reliability(
    title: str, across: str, upwards: str, points: Sequence[tuple[float, float, float]], language: str
) -> Markup:
    """Draw a plot with the confidence of the model on one axis, and the share of right words on the other.

    Args:
        title: name of the plot.
        across: name of the horizontal axis, the confidence.
        upwards: name of the vertical axis, the share of right words.
        points: for each group of words: the mean confidence (0..1), the share of right words (0..1), and the number of
            words. The area of a point shows the number of words.
        language: language of the numbers.
    """
    drawn = _unit_square(across, upwards, language)
    most = max((size for *_, size in points), default=1)
    places = [(_LEFT + said * _SIDE, _TOP + (1 - right) * _SIDE) for said, right, _ in points]
    drawn.append(Markup('<polyline class="l0" points="{}"/>').format(" ".join(f"{x:.1f},{y:.1f}" for x, y in places)))
    drawn += [
        Markup(
            '<circle class="c0 see-through" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{} → {}</title></circle>'
        ).format(
            x, y, 3 + 7 * (size / most) ** 0.5, _number(round(said, 2), language), _number(round(right, 2), language)
        )
        for (x, y), (said, right, size) in zip(places, points, strict=True)
    ]
    return _svg(title, _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + 40, drawn)


def _unit_square(across: str, upwards: str, language: str) -> list[Markup]:
    """Draw the axes for two quantities in 0..1, with their names, and the line on which both quantities are equal."""
    drawn = [
        Markup('<rect class="axis" x="{}" y="{}" width="{}" height="{}"/>').format(_LEFT, _TOP, _SIDE, _SIDE),
        Markup('<line class="ideal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
            _LEFT, _TOP + _SIDE, _LEFT + _SIDE, _TOP
        ),
    ]
    for fifth in range(6):
        place, value = _SIDE * fifth / 5, _number(fifth / 5, language)
        drawn += [
            Markup('<text x="{:g}" y="{}" text-anchor="middle">{}</text>').format(
                _LEFT + place, _TOP + _SIDE + 15, value
            ),
            Markup('<text x="{}" y="{:g}" text-anchor="end">{}</text>').format(
                _LEFT - 5, _TOP + _SIDE - place + 4, value
            ),
        ]
    drawn += [
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _LEFT + _SIDE / 2, _TOP + _SIDE + 32, across
        ),
        Markup('<text x="0" y="0" text-anchor="middle" transform="translate(9 {}) rotate(-90)">{}</text>').format(
            _TOP + _SIDE / 2, upwards
        ),
    ]
    return drawn


def _scale(most: float, language: str) -> list[Markup]:
    """Draw the scale of the vertical axis from 0 to `most`: three horizontal lines with their values."""
    drawn = []
    for part in (0.0, 0.5, 1.0):
        y = _TOP + _HEIGHT * (1 - part)
        drawn.append(Markup('<line class="axis" x1="{}" y1="{:g}" x2="{}" y2="{:g}"/>').format(_LEFT, y, _WIDTH, y))
        drawn.append(
            Markup('<text x="{}" y="{:g}" text-anchor="end">{}</text>').format(
                _LEFT - 4, y + 4, _number(most * part, language)
            )
        )
    return drawn


def _number(value: float, language: str) -> str:
    """Format a number with at most six significant digits."""
    return written(language, Decimal(f"{value:g}"))


def _labels(labels: Sequence[str]) -> list[Markup]:
    """Draw labels below the horizontal axis; if there are many labels, draw only the first, the middle and the last.

    If labels are too wide for one row, they alternate between two rows.
    """
    if not labels:
        return []
    step = (_WIDTH - _LEFT - _RIGHT) / len(labels)
    y = _TOP + _HEIGHT + 15
    last = len(labels) - 1
    wanted = dict.fromkeys(range(last + 1), "middle")
    if last >= _FEW:
        wanted = {0: "start", last // 2: "middle", last: "end"}
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}
    n_rows = _n_rows(labels)
    return [
        Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            _LEFT + step * (place + shift[anchor]), y + number % n_rows * _ROW, anchor, labels[place]
        )
        for number, (place, anchor) in enumerate(wanted.items())
    ]


def _n_rows(labels: Sequence[str]) -> int:
    """Return the number of rows (1 or 2) that the labels below the horizontal axis need."""
    shown = min(len(labels), _FEW - 1 if len(labels) > _FEW else _FEW)
    room = (_WIDTH - _LEFT - _RIGHT) / max(shown, 1)
    return 2 if any(len(label) * _LETTER > room for label in labels) else 1


def _svg(title: str, width: int, height: int, drawn: Sequence[Markup]) -> Markup:
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        width, height, title, Markup("").join(drawn)
    )


def _round_up(value: float) -> float:
    """Return the smallest of the numbers …, 0.4, 1, 2, 4, 10, 20, 40, … that is not less than the value; 1 for 0."""
    if value <= 0:
        return 1
    scale = 1.0
    while scale * (1 + 1e-9) < value:
        scale *= 10
    while scale / 10 >= value:
        scale /= 10
    # The tolerance is for shares that add up to a little more than 100 because of rounding.
    return next(scale * part for part in (0.1, 0.2, 0.4, 1) if scale * part * (1 + 1e-9) >= value)
