"""Test the watch of ratings in ten thousand simulated runs: false alarms and missed worse models are rare."""

import numpy as np
import pytest

from glas.domain.ratings_watch import FEWEST_BEFORE, MOST_AFTER, WORSE, RatingsWatch

RUNS = 10_000


def share_of_alarms(before: float, after: float, seed: int) -> float:
    """Return how often a new model with a share of bad ratings raises an alarm, for a share of the previous model."""
    chance = np.random.default_rng(seed)
    bad_before = chance.binomial(FEWEST_BEFORE, before, RUNS)
    ratings = chance.random((RUNS, MOST_AFTER)) < after
    alarms = (
        RatingsWatch(FEWEST_BEFORE, int(bad)).count(row) for bad, row in zip(bad_before, ratings.tolist(), strict=True)
    )
    return sum(alarms) / RUNS


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_good_model_is_left_alone(share: float) -> None:
    assert share_of_alarms(share, share, 1) <= 0.05


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_worse_model_is_caught_within_three_hundred_ratings(share: float) -> None:
    assert share_of_alarms(share, share + WORSE, 2) >= 0.90


def test_a_better_model_raises_no_alarm() -> None:
    assert share_of_alarms(0.2, 0.15, 3) <= 0.005


def test_too_few_ratings_before_say_nothing() -> None:
    watch = RatingsWatch(FEWEST_BEFORE - 1, 10)
    assert not watch.count([True] * MOST_AFTER)


def test_nothing_is_counted_after_an_alarm() -> None:
    watch = RatingsWatch(FEWEST_BEFORE, 50)
    assert watch.count([True] * 20)
    counted = watch.n_after
    watch.count([False] * 100)
    assert watch.n_after == counted
