"""Divide corrected recordings into a training set and a development set."""

from collections.abc import Sequence
from typing import NamedTuple

from glas.domain.errors import DataSetError
from glas.domain.splits import Split, draw
from glas.domain.text import normalise
from glas.recognition.references import Utterance

FEWEST_SPEAKERS = 10  # with fewer, dev would be one or two people


class Divided(NamedTuple):
    """The training set and the development set."""

    train: list[Utterance]
    dev: list[Utterance]


def split(utterances: Sequence[Utterance], dev_share: float) -> Divided:
    """Divide recordings so that no speaker is in both sets.

    If there are fewer than `FEWEST_SPEAKERS` speakers, or if the speaker of a recording is not known, divide them so
    that no text is in both sets.

    Args:
        utterances: recordings with references.
        dev_share: share of the speakers or texts in the development set, 0..1.

    Raises:
        DataSetError: one of the sets would be empty.
    """
    speakers = {one.speaker for one in utterances if one.speaker}
    by_speaker = len(speakers) >= FEWEST_SPEAKERS and all(one.speaker for one in utterances)
    found = Divided([], [])
    for one in utterances:
        key = one.speaker if by_speaker and one.speaker else normalise(one.text)
        drawn = draw(key, test_share=0, dev_share=dev_share)
        (found.dev if drawn is Split.DEV else found.train).append(one)
    if not found.train or not found.dev:
        raise DataSetError(
            f"expected enough recordings to learn from and to choose on, got {len(utterances)} with {len(speakers)} "
            f"speakers: {len(found.train)} to learn from, {len(found.dev)} to choose on"
        )
    return found
