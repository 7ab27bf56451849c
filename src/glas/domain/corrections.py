"""Judge a correction: its similarity to the recognised text, and whether somebody can have said its words.

Some engines can compute a score of how well a given text matches the sound. With such an engine, the score decides
whether the words can have been said (`Sound`). Without a score, the edit distance between the two texts decides.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import jiwer
from pydantic import BaseModel, ConfigDict, Field

from glas.domain.text import normalise
from glas.domain.transcription import Comparison

_CLEAR: Final = 0.3
_NEAR: Final = 0.5
_POSSIBLE: Final = 0.75
"""`_CLEAR`, `_NEAR` and `_POSSIBLE` are the largest values of `distance` for these degrees of `Likeness`.

Of 1,500 pairs of unrelated Russian telephone prompts, 0.1 % have a distance below 0.35, 1 % below 0.5, and a quarter
below 0.75. If one of eight words of a recognised text is wrong, the distance between this text and the right text is
about 0.05.
"""


class Rank(StrEnum):
    """The reliability of a correction, the most reliable rank first. A doubtful correction is never a reference."""

    AGREED = "agreed"
    REVIEWER = "reviewer"
    AUTHOR = "author"
    DOUBTFUL = "doubtful"


class Sound(StrEnum):
    """Whether the sound supports a text, according to the score of an engine."""

    SUPPORTS = "supports"
    DENIES = "denies"
    UNKNOWN = "unknown"


_SUPPORTED_WORD: Final = 6.0
_SUPPORTED: Final = 25.0
_DENIED_WORD: Final = 10.0
_DENIED: Final = 60.0
"""Bounds of `Comparison.lost`, which is called the loss here.

The constants with `WORD` in their names are bounds of the loss per differing word. The other constants are bounds of
the loss of the whole text.

Losses are differences of natural logarithms, in nats. They were measured with the embedded Whisper. For 100 true
corrections of two speakers, the loss was at most 6.5 nats per word in 90 % of the texts, and at most 8.2 in 95 %. In
270 texts, one or two words were replaced by words of other sentences: the loss was at least 10 nats per word. In 91
texts, only the end of a word was changed: the loss was at least 8 nats per word. If the whole text was replaced by
another sentence, the loss was 4 to 15 nats per word, and always more than 25 nats for the whole text.
"""


def sound_of(comparison: Comparison | None) -> Sound:
    """Return whether the sound supports a correction.

    The result follows from the `comparison` of an engine; it is UNKNOWN if `comparison` is None.
    """
    if comparison is None:
        return Sound.UNKNOWN
    if not comparison.n_words or comparison.lost <= min(_SUPPORTED_WORD * comparison.n_words, _SUPPORTED):
        return Sound.SUPPORTS
    if comparison.lost > min(_DENIED_WORD * comparison.n_words, _DENIED):
        return Sound.DENIES
    return Sound.UNKNOWN


class Likeness(StrEnum):
    """Degrees of similarity between a written text and a recognised text, the most similar first."""

    SAME = "same"
    CLEAR = "clear"
    NEAR = "near"
    POSSIBLE = "possible"
    FAR = "far"


class CorrectionChange(BaseModel):
    """One entry in the history of a message's corrections: a correction, or the undoing of a correction."""

    model_config = ConfigDict(frozen=True)

    id: int
    transcription_id: int
    user_id: int = Field(description="Number of the database row of the person who made the change.")
    reference: str | None = Field(
        description="Words of the message after the change. null means that the recognised words are shown again."
    )
    rank: Rank | None
    is_applied: bool = Field(
        description="Whether the change replaces the current words. A doubtful change is stored but does not "
        "replace them."
    )
    takes_back: int | None = Field(
        default=None, description="Number of the earlier change that this change undoes. null if it undoes none."
    )
    sound: Sound = Sound.UNKNOWN
    creation_datetime: datetime


def distance(said: str, heard: str) -> float:
    """Return how different two texts are under RU-NORM, from 0 (same words) to 1.

    The result is the number of characters that differ, divided by the number of characters of the longer text.
    """
    expected, found = normalise(said), normalise(heard)
    if not expected or not found:
        return 1.0
    errors = jiwer.process_characters(expected, found)
    n_errors = errors.substitutions + errors.deletions + errors.insertions
    return n_errors / max(len(expected), len(found))


def likeness(said: str, heard: str) -> Likeness:
    """Return how similar a text that a person wrote is to a recognised text.

    A written text that ends with a question mark may be a question to the bot, and not a correction. So the result is
    at most NEAR, unless the recognised text has the same words or also ends with a question mark.
    """
    if said.split() == heard.split():
        return Likeness.SAME
    far = distance(said, heard)
    is_question = said.rstrip().endswith("?") and not heard.rstrip().endswith("?")
    if far <= _CLEAR and not is_question:
        return Likeness.CLEAR
    if far <= _NEAR:
        return Likeness.NEAR
    return Likeness.POSSIBLE if far <= _POSSIBLE else Likeness.FAR


def rank_of(said: str, heard: str, *, duration_s: float, max_chars_per_s: float, sound: Sound) -> Rank:
    """Return the rank of an author's correction.

    Args:
        said: the words that were said, according to the author.
        heard: the recognised text.
        duration_s: duration of the recording in seconds; a duration below one second counts as one second.
        max_chars_per_s: largest number of letters per second that a person can say.
        sound: whether the sound supports the words, according to an engine. If it is UNKNOWN, the edit distance between
            `said` and `heard` decides.
    """
    if len(normalise(said)) > max_chars_per_s * max(duration_s, 1.0):
        return Rank.DOUBTFUL
    if sound is not Sound.UNKNOWN:
        return Rank.AUTHOR if sound is Sound.SUPPORTS else Rank.DOUBTFUL
    return Rank.AUTHOR if distance(said, heard) <= _NEAR else Rank.DOUBTFUL
