"""Test the plots of the pages: nothing is drawn outside, names are escaped, numbers have the language's notation."""

import re

from glas.web import plots


def test_plots_hold_what_they_are_given() -> None:
    """Nothing is drawn outside, and names from the database are escaped."""
    for drawn in (
        plots.bars("A & <b>", [("01", 3.0), ("02", 0.0)], "ru"),
        plots.lines("A & <b>", ["01", "02"], {"<i>": {"01": 12.5}, "v2": {"01": 0.0, "02": 99.0}}, "ru"),
        plots.stacks("A & <b>", [("01", (1.0, 2.0, 3.0))], "ru", colours=(1, 2, 3)),
        plots.reliability("A & <b>", "x", "y", [(0.5, 0.25, 10.0), (1.0, 1.0, 1.0)], "ru"),
        plots.bars("A & <b>", [], "ru"),
    ):
        assert 'aria-label="A &amp; &lt;b&gt;"' in drawn
        assert "<i>" not in drawn
        assert all(0 <= float(place) <= 400 for place in re.findall(r'\b[cxy]{1,2}\d?="([^"]+)"', drawn))
    top = plots.bars("", [("01", 4.0)], "ru")
    assert 'y="10.0" width="248.0" height="120.0"' in top


def test_numbers_of_plots_are_written_as_the_language_writes_them() -> None:
    shares = [(0.825, 0.75, 10.0)]
    for language, mark in (("ru", ","), ("en", ".")):
        drawn = (
            plots.bars("", [("01", 0.4)], language),
            plots.lines("", ["01"], {"v1": {"01": 0.4}}, language),
            plots.stacks("", [("01", (0.25, 0.15))], language, colours=(1, 2)),
            plots.reliability("", "x", "y", shares, language),
        )
        for plot in drawn:
            numbers = re.findall(r">[^<>]*?(\d+[.,]\d+)", plot)
            assert numbers
            assert all(mark in number for number in numbers), numbers
    assert "0,82 → 0,75" in plots.reliability("", "x", "y", shares, "ru")
    assert ": 12345</title>" in plots.bars("", [("01", 12345.0)], "ru")


def test_wide_labels_stand_on_two_rows() -> None:
    """Long labels are on two rows, short labels on one row; both pictures have equal height."""
    wide = plots.bars("", [("двое", 1.0), ("проверяющий", 2.0), ("автор", 3.0)], "ru")
    short = plots.bars("", [("01", 1.0), ("02", 2.0), ("03", 3.0)], "ru")
    rows = [
        sorted({float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="middle"', drawn)}) for drawn in (wide, short)
    ]
    assert rows == [[145.0, 162.0], [145.0]]
    heights = [float(re.findall(r'viewBox="0 0 \d+ (\d+)"', drawn)[0]) for drawn in (wide, short)]
    assert heights == [169.0, 152.0]
