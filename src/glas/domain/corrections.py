"""Judge a correction: how similar it is to the recognised text, and whether its words can have been said.

If the engine can score a given text against the sound, its score decides (`Sound`). Otherwise the edit distance of the
two texts decides.
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
"""Largest values of `distance` for the degrees CLEAR, NEAR and POSSIBLE of `Likeness`.

Of 1,500 pairs of unrelated Russian announcements, 0.1 % have a distance below 0.35, 1 % below 0.5, and a quarter below
0.75. If one of eight words of a recognised text is wrong, its distance from the right text is about 0.05.
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
"""Bounds of `Comparison.lost`.

The names with `WORD` are bounds of the loss per differing word. The other names are bounds of the loss of the whole
text.

Losses are differences of natural logarithms (nepers). Measured with the embedded Whisper on 100 true corrections of two
speakers: 90 % lose at most 6.5 nepers a word, 95 % at most 8.2. If one or two words are replaced by words of other
sentences, the loss is at least 10 a word (270 texts). If only the end of a word is changed, the loss is at least 8 a
word (91 texts). If the text is replaced by another sentence, the loss is 4 to 15 a word, and always more than 25 for
the whole text.
"""


def sound_of(comparison: Comparison | None) -> Sound:
    """Return whether the sound supports a correction, according to an engine's comparison; UNKNOWN without one."""
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
    """One entry in the history of a message's words."""

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
    """Return the character errors under RU-NORM, divided by the length of the longer text: from 0 (same words) to 1."""
    expected, found = normalise(said), normalise(heard)
    if not expected or not found:
        return 1.0
    errors = jiwer.process_characters(expected, found)
    n_errors = errors.substitutions + errors.deletions + errors.insertions
    return n_errors / max(len(expected), len(found))


def likeness(said: str, heard: str) -> Likeness:
    """Return how similar a written text is to a recognised one.

    A written text that ends with a question mark may be a question to the bot, and not a correction. So its likeness is
    at most NEAR. This does not apply if the recognised text is the same or also ends with a question mark.
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
        duration_s: duration of the recording; less than a second counts as a second.
        max_chars_per_s: largest number of letters per second that a person can say.
        sound: whether the sound supports the words, according to an engine; if it is UNKNOWN, the edit distance
            decides.
    """
    if len(normalise(said)) > max_chars_per_s * max(duration_s, 1.0):
        return Rank.DOUBTFUL
    if sound is not Sound.UNKNOWN:
        return Rank.AUTHOR if sound is Sound.SUPPORTS else Rank.DOUBTFUL
    return Rank.AUTHOR if distance(said, heard) <= _NEAR else Rank.DOUBTFUL
