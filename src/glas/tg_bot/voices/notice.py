"""Exchange notes between processes of the bot; a note contains data of one process about its waiting recordings.

Each process regularly writes a heartbeat to the database, and reads the heartbeats of the other processes. A note is a
part of a heartbeat, so notes need no further queries. When a note is read, it may be some seconds old. This does no
harm, because notes are used only for two purposes: to show the place of a recording in the queue, and to observe a
pause that Telegram requested.
"""

import json
import time
from collections.abc import Mapping

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.voices.recognition_queue import RecognitionQueue

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Note(BaseModel):
    """The data that one process gives to the others."""

    model_config = ConfigDict(frozen=True)

    is_taking_in: bool = False
    waiting: tuple[int, ...] = ()
    quiet_until: tuple[tuple[int | None, float], ...] = ()


class Notice:
    """Writes the note of this process, and reads the notes of the other processes."""

    def __init__(self, recognition_queue: RecognitionQueue, limiter: RateLimiter) -> None:
        self._recognition_queue = recognition_queue
        self._limiter = limiter
        self.is_taking_in = False

    def say(self) -> str:
        """Return the note of this process. The health check in compose.yaml reads the field `is_taking_in`."""
        now_s = time.time()
        quiet = tuple((chat, now_s + left_s) for chat, left_s in self._limiter.pauses().items())
        note = Note(is_taking_in=self.is_taking_in, waiting=tuple(self._recognition_queue.waiting()), quiet_until=quiet)
        return note.model_dump_json()

    def hear(self, notes: Mapping[str, str]) -> None:
        """Use the notes of the other processes: update the queue of recognitions and the rate limiter."""
        found = [note for note in map(_read, notes.values()) if note is not None]
        self._limiter.share = len(notes) + 1
        self._recognition_queue.elsewhere = sorted(came_s for note in found for came_s in note.waiting)
        now_s = time.time()
        for note in found:
            for chat, until_s in note.quiet_until:
                self._limiter.pause(chat, until_s - now_s)


def _read(text: str) -> Note | None:
    """Parse a note of another process.

    Return None if the note has the format of another version of Glas, or if the process has not written a note yet.
    """
    try:
        return Note.model_validate(json.loads(text)) if text else None
    except (ValueError, ValidationError):
        _log.warning("the note of a heartbeat cannot be read")
        return None
