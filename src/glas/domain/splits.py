"""The sides of a dataset, and on which of them a name falls: the same on every machine and in every run."""

import hashlib
from enum import StrEnum


class Split(StrEnum):
    """What recordings are for: to learn from, to choose with, to measure with."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


def draw(name: str, *, test_share: float, dev_share: float) -> Split:
    """Return the side on which a speaker or a text falls. A larger share of the test only takes names over.

    Args:
        name: a speaker's pseudonym, or the hash of a text.
        test_share: share of the names in the test set, 0..1.
        dev_share: share of the names in the development set; the two together are at most 1.
    """
    position = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    if position < test_share:
        return Split.TEST
    return Split.DEV if position < test_share + dev_share else Split.TRAIN
