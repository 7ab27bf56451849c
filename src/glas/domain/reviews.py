"""Define reviews: verdicts of reviewers who listen to a recording without knowing the verdicts of other people."""

from enum import StrEnum
from typing import Final

REVIEWERS_LISTEN_SINCE: Final = "2026-11-26"
"""First version of the wording of the consent which says that reviewers listen to recordings.

Recordings of people who agreed only to an earlier version are not reviewed.
"""

LONGEST_S: Final = 30.0
"""Longest recording that is reviewed, in seconds: the length of Whisper's window, which training uses, too."""

LONGEST_CHARS: Final = 900
"""Longest text that is reviewed, in characters.

Together with the other lines of the caption in Telegram, such a text has at most 1,024 UTF-16 code units, which is
Telegram's limit.
"""

MOST_REVIEWS: Final = 3
"""Largest number of reviews of one message: two by people who contradict each other, and one by a third person."""


class Verdict(StrEnum):
    """The verdict of a reviewer about a recording."""

    ACCEPT = "accept"
    CORRECT = "correct"
    SKIP = "skip"
    BAD_AUDIO = "bad_audio"
    NOT_SPEECH = "not_speech"
    OTHER_VOICE = "other_voice"

    @property
    def gives_words(self) -> bool:
        """Whether the review contains the words that were spoken."""
        return self in (Verdict.ACCEPT, Verdict.CORRECT)
