"""Test the picture of the benchmark of the bot under load."""

import re

import pytest

from benchmarks.bot_under_load.picture import Line, drawn


@pytest.mark.parametrize("largest", [0.0, 0.075, 0.9, 1.7, 3.0, 4.2, 7.5, 8.3, 60.0, 815.0, 1794.0])
def test_every_axis_has_two_to_five_values(largest: float) -> None:
    picture = drawn([Line("seconds", [(0.0, largest / 2), (1.0, largest)])])
    values = [float(one) for one in re.findall(r'text-anchor="end">([\d.]+)<', picture)]
    assert 2 <= len(values) <= 5
    assert values[0] == 0
    assert values == sorted(values)
    assert values[-1] < largest * 1.2 or largest == 0
