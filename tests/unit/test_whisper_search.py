"""Beam search on tables of probabilities, and the path of dynamic time warping."""

from itertools import pairwise, product
from math import log

import numpy as np
import numpy.typing as npt
import pytest

from glas.engines.whisper import search
from glas.engines.whisper.alignment import _median, _warped, arrivals
from glas.engines.whisper.search import Beam

END = 0
Table = dict[tuple[int, ...], dict[int, float]]


def found(table: Table, size: int, most_tokens: int = 10) -> Beam:
    """Search with a model that knows the next token's probabilities after some texts; after others, only the end."""
    beam = Beam(size, END, most_tokens)
    while not beam.is_over:
        shape = (len(beam.live), 2 * size)
        logprobs, tokens = np.full(shape, -np.inf, np.float32), np.zeros(shape, np.int64)
        for row, text in enumerate(beam.live):
            ranked = sorted(table.get(text.tokens, {END: 1.0}).items(), key=lambda pair: -pair[1])[: 2 * size]
            for column, (token, probability) in enumerate(ranked):
                logprobs[row, column], tokens[row, column] = log(probability), token
        beam.advance(logprobs, tokens)
    return beam


def test_greedy_takes_the_best_token_each_time() -> None:
    table: Table = {(): {1: 0.6, 2: 0.4}, (1,): {3: 0.3, 4: 0.3, END: 0.4}, (2,): {5: 1.0}}
    best = found(table, 1).found[0]
    assert best.tokens == (1,)
    assert best.has_ended
    assert best.score == pytest.approx(log(0.6 * 0.4))


def test_a_beam_finds_the_text_that_is_better_in_the_end() -> None:
    table: Table = {(): {1: 0.6, 2: 0.4}, (1,): {3: 0.3, 4: 0.3, END: 0.4}, (2,): {5: 1.0}}
    best = found(table, 2).found[0]
    assert best.tokens == (2, 5)
    assert best.logprobs == pytest.approx((log(0.4), 0.0, 0.0))
    assert best.mean == pytest.approx(log(0.4) / 2)


def test_rows_say_where_each_token_came_from() -> None:
    table: Table = {(): {1: 0.55, 2: 0.45}, (1,): {3: 0.5, 4: 0.5}, (2,): {5: 1.0}, (2, 5): {6: 1.0}}
    best = found(table, 2).found[0]
    assert best.tokens == (2, 5, 6)
    # After two tokens (2, 5) is the best, and comes first.
    assert best.rows == (0, 1, 0, 0)


def test_what_is_too_long_is_broken_off() -> None:
    table: Table = {(1,) * n: {1: 0.9, END: 0.1} for n in range(20)}
    best = found(table, 1, most_tokens=4).found[0]
    assert best.tokens == (1, 1, 1, 1)
    assert not best.has_ended


def test_a_text_far_behind_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    table: Table = {(): {1: 0.9, 2: 0.01}}
    logprobs, tokens = np.array([[log(0.9), log(0.01)]], np.float32), np.array([[1, 2]])
    beam = Beam(2, END, 10)
    assert [row.token for row in beam.advance(logprobs, tokens)] == [1]
    monkeypatch.setattr(search, "_DEPTH", 10.0)
    beam = Beam(2, END, 10)
    assert [row.token for row in beam.advance(logprobs, tokens)] == [1, 2]
    assert found(table, 2).found[0].tokens == (1,)


def cheapest(costs: npt.NDArray[np.float64]) -> float:
    """The price of the cheapest path, by trying all."""
    rows, columns = costs.shape
    best = np.inf
    for arrival in product(range(columns), repeat=rows - 1):
        places = (0, *arrival)
        if any(after < before for before, after in pairwise(places)):
            continue
        leaves = [*places[1:], columns - 1]
        for steps in product((0, 1), repeat=rows - 1):
            ends = [leave - step for leave, step in zip(leaves, (*steps, 0), strict=True)]
            if all(end >= place for place, end in zip(places, ends, strict=True)):
                price = sum(costs[row, places[row] : ends[row] + 1].sum() for row in range(rows))
                best = min(best, price)
    return float(best)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_cheapest(seed: int) -> None:
    costs = np.random.default_rng(seed).normal(size=(4, 6))
    places = _warped(costs)
    assert places == sorted(places)
    assert places[0] == 0
    prices = []
    for steps in product((0, 1), repeat=3):
        ends = [leave - step for leave, step in zip([*places[1:], 5], (*steps, 0), strict=True)]
        if all(end >= place for place, end in zip(places, ends, strict=True)):
            prices.append(sum(costs[row, places[row] : ends[row] + 1].sum() for row in range(4)))
    assert min(prices) == pytest.approx(cheapest(costs))


def test_the_median_takes_out_single_peaks() -> None:
    values = np.zeros((1, 1, 20), np.float32)
    values[0, 0, 10] = 1
    assert not _median(values).any()
    values[0, 0, 10:15] = 1
    assert _median(values)[0, 0, 10:15].tolist() == [1] * 5
    assert _median(values[..., :3]).shape == (1, 1, 3)


def test_tokens_arrive_where_the_heads_look() -> None:
    attention = np.full((6, 2, 40), 0.01, np.float32)
    for row, place in ((2, 0), (3, 10), (4, 20), (5, 30)):
        attention[row, :, place : place + 10] = 1
    assert arrivals(attention, 2) == [0, 10, 20, 30]
