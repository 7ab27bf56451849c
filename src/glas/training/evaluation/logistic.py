"""Fit a logistic regression, and measure the quality of its probabilities."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_STEPS = 100
_CLOSE_ENOUGH = 1e-9
_RIDGE = 1e-4  # L2 penalty per example; it keeps the weights finite if the classes can be separated without error


class LogisticModel(NamedTuple):
    """A logistic regression: its log-odds are the sum of the scaled features times `weights`, plus `bias`.

    For features `x`, the scaled features are `(x - centres) / scales`.
    """

    centres: Floats
    scales: Floats
    weights: Floats
    bias: float


def fit(features: Floats, is_right: Bools) -> LogisticModel:
    """Fit a logistic regression that predicts `is_right`, shape `(n,)`, from features, shape `(n, k)`.

    The method is Newton's method.
    """
    centres, scales = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = np.column_stack([(features - centres) / scales, np.ones(len(features))])
    ridge = np.append(np.full(features.shape[1], _RIDGE * len(features)), 0.0)
    found = np.zeros(scaled.shape[1])
    for _ in range(_STEPS):
        probability = 1 / (1 + np.exp(-(scaled @ found)))
        gradient = scaled.T @ (is_right - probability) - ridge * found
        curvature = (scaled * (probability * (1 - probability))[:, None]).T @ scaled + np.diag(ridge + 1e-12)
        step = np.linalg.solve(curvature, gradient)
        found += step
        if np.abs(step).max() < _CLOSE_ENOUGH:
            break
    return LogisticModel(centres, scales, found[:-1], float(found[-1]))


def auroc(scores: Floats, is_positive: Bools) -> float | None:
    """Compute AUROC: the probability that a random positive example has a higher score than a random negative example.

    If there are no positive or no negative examples, return None.

    A pair with equal scores counts as half. The result is Mann and Whitney's U divided by the number of pairs.
    """
    n_positive = int(is_positive.sum())
    n_negative = len(is_positive) - n_positive
    if not n_positive or not n_negative:
        return None
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    total = float(ranks[which][is_positive].sum())
    return (total - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


class Bin(NamedTuple):
    """Examples with similar probabilities: their number, their mean probability, and the share of right examples."""

    size: int
    said: float
    right: float


def bins(probabilities: Floats, is_right: Floats, count: int = 10) -> list[Bin]:
    """Divide examples by their probability into `count` bins of equal width; leave out empty bins."""
    index = np.clip((probabilities * count).astype(int), 0, count - 1)
    inside = [index == number for number in range(count)]
    return [
        Bin(int(one.sum()), float(probabilities[one].mean()), float(is_right[one].mean()))
        for one in inside
        if one.any()
    ]


def calibration_error(probabilities: Floats, is_right: Floats) -> float:
    """Compute the expected calibration error (ECE).

    It is the mean of |probability - share of right examples| over ten bins, weighted by the number of examples in each
    bin.
    """
    return sum(one.size * abs(one.said - one.right) for one in bins(probabilities, is_right)) / len(probabilities)
