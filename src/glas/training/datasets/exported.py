"""Read the messages of an export (docs/export.md), and choose the words that a model learns for each message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.corrections import Rank
from glas.domain.errors import DataSetError
from glas.domain.messages import Score
from glas.domain.reviews import Verdict
from glas.domain.text import normalise

HYPOTHESIS: Final = "hypothesis"
"""Rank of words that no person wrote.

A model recognised them with a high confidence, and the speaker rated them perfect.
"""

RANKS: Final = (Rank.AGREED.value, Rank.REVIEWER.value, Rank.AUTHOR.value, HYPOTHESIS)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Hypothesis(_Value):
    text: str
    confidence: float | None


class _Reference(_Value):
    text: str
    rank: Rank


class Message(_Value):
    """A message of the export, with those fields of its JSON file that training needs."""

    id: int
    score: Score
    speaker: str
    audio_file: str
    duration_s: float
    hypothesis: _Hypothesis
    reference: _Reference | None
    verdict: Verdict | None = None
    folder: Path = Field(default=Path(), exclude=True)

    @property
    def audio(self) -> Path:
        """Path of the file with the recording."""
        return self.folder / self.audio_file


class Target(NamedTuple):
    """The words that a model learns for a recording.

    Attributes:
        text: the words; empty if nobody speaks.
        rank: who wrote or confirmed the words, one of `RANKS`.
    """

    text: str
    rank: str

    @property
    def may_be_tested(self) -> bool:
        """Return whether these words may be used as a reference to measure a model.

        They may be used if a person wrote or confirmed them, and if they are not empty.
        """
        return bool(self.text) and self.rank != HYPOTHESIS


def read_export(directory: Path) -> Iterator[Message]:
    """Yield all messages of an export, in the order of their ids.

    If an export runs at the same time and moves the files of a message, this message may be missing from the result.

    Raises:
        DataSetError: there is no export, or one of its files has a wrong format.
    """
    if not (directory / "manifest.jsonl").is_file():
        raise DataSetError(f"{directory}: expected an export (glas export), got a directory without manifest.jsonl")
    folders = {int(path.name): path for path in directory.glob("[0-3]/*") if path.name.isdecimal()}
    for number, folder in sorted(folders.items()):
        path = folder / f"{number}.json"
        try:
            message = Message.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            continue
        except ValidationError as error:
            # The message of the original error would contain what people said.
            raise DataSetError(f"{path}: expected a message as `glas export` writes it, got something else") from error
        yield message.model_copy(update={"folder": folder})


def speakers_in(directory: Path) -> frozenset[str]:
    """Return the pseudonyms of all speakers of an export.

    Raises:
        DataSetError: there is no export, or one of its files has a wrong format.
    """
    return frozenset(message.speaker for message in read_export(directory))


def target_of(message: Message, *, min_confidence: float) -> Target | None:
    """Return the words that a model learns for a message; None if no words are reliable.

    If the message has a reference, the result is the reference. If a reviewer judged that nobody speaks, the result is
    an empty text. If a reviewer judged that the recording cannot be used for another reason, the result is None. In all
    other cases, the result is the hypothesis, but only if the speaker gave it the best rating, and if the confidence of
    the hypothesis is high enough. If not, the result is None.

    Args:
        message: a message of the export.
        min_confidence: a hypothesis with a lower calibrated confidence (0..1) is not used.
    """
    if message.reference is not None:
        words = message.reference.text.strip()
        return Target(words, message.reference.rank.value) if normalise(words) else None
    if message.verdict is not None:
        return Target("", Rank.REVIEWER.value) if message.verdict is Verdict.NOT_SPEECH else None
    words, confidence = message.hypothesis.text.strip(), message.hypothesis.confidence
    is_sure = confidence is not None and confidence >= min_confidence
    return Target(words, HYPOTHESIS) if message.score is Score.BEST and is_sure and normalise(words) else None
