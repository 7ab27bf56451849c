"""Test texts near the most probable text with tables of probabilities, and the path of dynamic time warping."""

from collections.abc import Sequence
from itertools import pairwise, product
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from glas.engines.whisper.alignment import _median, _warped, arrivals
from glas.engines.whisper.alternatives import LONGEST, Alternative, Choice, Path, alternatives
from glas.engines.whisper.decoding import Prefix

END, COMMA, STOP = 0, 90, 91
Table = dict[tuple[int, ...], dict[int, float]]


class TableDecoding:
    """Returns the next token's probabilities from a table, otherwise only the end token; it counts its calls."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.calls = 0

    def prefix(self, tokens: Sequence[int]) -> Prefix:
        """Make the prefix of a text; its places are its tokens."""
        ranked = sorted(self._table.get(tuple(tokens), {END: 1.0}).items(), key=lambda pair: -pair[1])
        return Prefix(np.array(tokens, np.int64), [one for one, _ in ranked], [log(one) for _, one in ranked])

    def extend(self, chains: Sequence[tuple[Prefix, Sequence[int]]]) -> list[list[Prefix]]:
        """See `glas.engines.whisper.decoding.Decoding.extend`."""
        self.calls += 1
        return [
            [self.prefix([*prefix.places.tolist(), *chain[: step + 1]]) for step in range(len(chain))]
            for prefix, chain in chains
        ]


def letters(token: int) -> str:
    return "" if token in (COMMA, STOP) else f"word{token}"


def found(table: Table, most_tokens: int = 40) -> tuple[Path, list[Alternative], int]:
    """Return the greedy text, its alternatives, and the number of calls."""
    decoding: Any = TableDecoding(table)
    path: Path = []
    prefix = decoding.prefix([])
    while not path or path[-1].token != END:
        path.append(Choice(prefix, prefix.best[0]))
        prefix = decoding.prefix([choice.token for choice in path])
    others = alternatives(decoding, path, END, most=30, most_tokens=most_tokens, letters=letters)
    return path, list(others), decoding.calls


def chain(*tokens: int, start: tuple[int, ...] = ()) -> Table:
    """Make a table in which each token is certain after the tokens before it."""
    return {(*start, *tokens[:place]): {token: 1.0} for place, token in enumerate(tokens)}


def tokens_of(alternative: Alternative) -> list[int]:
    return [choice.token for choice in alternative.path]


def test_a_word_that_is_nearly_as_probable_replaces_one_and_the_text_goes_on() -> None:
    table = chain(1, 2, 3, 4, 5, 6) | chain(3, 4, 5, 6, start=(1, 7)) | {(1,): {2: 0.6, 7: 0.4}}
    first, (other,), calls = found(table)
    assert [choice.token for choice in first] == [1, 2, 3, 4, 5, 6, END]
    assert tokens_of(other) == [1, 7, 3, 4, 5, 6, END]
    assert (other.start, other.end) == (1, 4)
    assert sum(choice.logprob for choice in other.path) == pytest.approx(log(0.4))
    assert calls == 1, "the tokens behind the change are guessed, and read with it"


def test_a_change_may_be_longer_than_what_it_replaces() -> None:
    table = chain(1, 2, 3, 4, 5) | chain(8, 9, 3, 4, 5, start=(1, 7)) | {(1,): {2: 0.6, 7: 0.4}}
    _, (other,), _ = found(table)
    assert tokens_of(other) == [1, 7, 8, 9, 3, 4, 5, END]
    assert (other.start, other.end) == (1, 4)


def test_what_is_improbable_and_what_changes_no_word_is_not_followed() -> None:
    table = chain(1, 2, 3, 4, 5) | {(1,): {2: 0.95, 7: 0.05}, (1, 2, 3): {4: 0.5, COMMA: 0.5}}
    _, others, calls = found(table)
    assert others == []
    assert calls == 0


def test_a_text_that_stops_too_early_is_taken_up_again_at_its_last_mark() -> None:
    table = chain(1, STOP) | chain(2, 3, 4, 5, 6, STOP, start=(1, COMMA)) | {(1,): {STOP: 0.6, COMMA: 0.4}}
    _, others, _ = found(table)
    assert [tokens_of(other) for other in others] == [[1, COMMA, 2, 3, 4, 5, 6, STOP, END]]


def test_a_change_that_never_comes_back_is_given_up() -> None:
    table = chain(*range(1, 9)) | chain(*range(30, 80), start=(1, 29)) | {(1,): {2: 0.6, 29: 0.4}}
    _, others, calls = found(table)
    assert others == []
    assert calls <= LONGEST
    table |= {(1, 29): {30: 0.001, END: 0.0001}}
    _, _, calls = found(table)
    assert calls == 1, "it has become much less probable than the first text"


def test_texts_are_broken_off_at_the_most_tokens() -> None:
    table = chain(1) | chain(*range(2, 99), start=(1,)) | {(1,): {END: 0.6, 2: 0.4}}
    _, others, calls = found(table, most_tokens=10)
    assert others == []
    assert calls <= 10


def cheapest(costs: npt.NDArray[np.float64]) -> float:
    """Return the cost of the cheapest path by trying all paths."""
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
