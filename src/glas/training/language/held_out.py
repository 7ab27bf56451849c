"""Find sentences that must not be used for training, because they are too similar to sentences for tests."""

from collections.abc import Iterable
from pathlib import Path

from glas.recognition.references import read_reference_set
from glas.training.texts.sentences import label
from glas.training.voices.festvox import read_festvox

ALIKE = 4  # a sentence that shares so many successive words with a test sentence is left out

Gram = tuple[str, ...]


class HeldOutSentences:
    """Test sentences. `text in sentences` is true if `ALIKE` successive words of the text are also in a test sentence.

    Args:
        texts: the test sentences.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._grams = {gram for text in texts for gram in _grams(text)}

    def __contains__(self, text: str) -> bool:
        return not self._grams.isdisjoint(_grams(text))


def test_texts(festvox: Path | None, recordings: Iterable[Path]) -> list[str]:
    """Return all sentences of the package festvox-ru, and all reference texts in the directories `recordings`.

    The half of the sentences of festvox-ru that is not used for tests is also included; see
    `glas.training.voices.festvox`.
    """
    found = [reading.text for reading in read_festvox(festvox)] if festvox else []
    for folder in recordings:
        found += [one.text for one in read_reference_set(folder).utterances]
    return found


def _grams(text: str) -> list[Gram]:
    words = label(text).split()
    return [tuple(words[at : at + ALIKE]) for at in range(max(len(words) - ALIKE + 1, 1))]
