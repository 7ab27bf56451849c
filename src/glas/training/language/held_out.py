"""The sentences that are tested on, and what is too much like them to be read by a language model."""

import json
from collections.abc import Iterable
from pathlib import Path

from glas.training.sound.shards import finished_shards, open_shard
from glas.training.texts.sentences import label, read_lines
from glas.training.voices.festvox import read_festvox

ALIKE = 4  # words in a row: a sentence that shares as many with a test's is left out

Gram = tuple[str, ...]


class HeldOutSentences:
    """Sentences of tests: those alike are `in` it.

    Args:
        texts: the sentences.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._grams = {gram for text in texts for gram in _grams(text)}

    def __contains__(self, text: str) -> bool:
        return not self._grams.isdisjoint(_grams(text))


def test_texts(data: Path, festvox: Path | None, recordings: Iterable[Path]) -> list[str]:
    """All sentences of the test shards, of the festvox reader (both halves) and of recordings."""
    shards = data / "shards"
    names = [name for name in ("test-clean", "test-channel", "voxforge-test") if name in finished_shards(shards, "")]
    found = [entry.text for name in names for entry in open_shard(shards, name).entries]
    found += [reading.text for reading in read_festvox(festvox)] if festvox else []
    for folder in recordings:
        lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        found += [json.loads(line)["text"] for line in lines]
    return found


def lines_except(folder: Path | None, tests: Iterable[str]) -> list[str]:
    """Russian sentences of three words or more out of a folder, those that are like one of the tests left out."""
    withheld = HeldOutSentences(tests)
    return [line for line in read_lines(folder) if line not in withheld]


def _grams(text: str) -> list[Gram]:
    words = label(text).split()
    return [tuple(words[at : at + ALIKE]) for at in range(max(len(words) - ALIKE + 1, 1))]
