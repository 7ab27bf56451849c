"""Divide speakers or texts into train, dev and test; the result is the same on every machine and in every run."""

import hashlib
from enum import StrEnum


class Split(StrEnum):
    """Use of a recording: training (train), choices during development (dev), or measurement (test)."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


def draw(name: str, *, test_share: float, dev_share: float) -> Split:
    """Return the split of a speaker or a text, by a hash of the name.

    If `test_share` or `dev_share` is increased, some names move from train to dev or test, or from dev to test. Names
    never move in the other direction.

    Args:
        name: a speaker's pseudonym, or the hash of a text.
        test_share: part of all names that belongs to the test set, 0..1.
        dev_share: part of all names that belongs to the development set, 0..1; the sum of both values is at most 1.
    """
    position = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    if position < test_share:
        return Split.TEST
    return Split.DEV if position < test_share + dev_share else Split.TRAIN
