"""Reviews: the verdict of a reviewer who has listened to a recording and does not know the verdicts of others."""

from enum import StrEnum
from typing import Final

REVIEWERS_LISTEN_SINCE: Final = "2026-11-26"
"""First version of the words of consent that say that people listen. Nobody listens to who agreed to earlier ones."""

LONGEST_S: Final = 30.0
"""Longest recording that is reviewed, seconds: what a Whisper hears at once, and training takes."""

LONGEST_CHARS: Final = 900
"""Longest text that is reviewed. With the marks of a message it fits into a caption of Telegram's, 1,024 units."""

MOST_REVIEWS: Final = 3
"""Most reviews of one message: two people who contradict each other, and a third one."""


class Verdict(StrEnum):
    """The verdict of a reviewer."""

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
