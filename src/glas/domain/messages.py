"""Define a message (a recording that a person sent, with its recognised text) for the database, HTTP bodies and bot."""

import hashlib
from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.corrections import Rank


class Score(IntEnum):
    """The speaker's rating of a recognised text.

    The numbers are also the names of directories in the export. The original system used the same numbers.
    """

    NOT_RATED = 0
    BAD = 1
    NORMAL = 2
    BEST = 3


class Status(StrEnum):
    """State of a message."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class MediaKind(StrEnum):
    """Kind of a recording in Telegram."""

    VOICE = "voice"
    AUDIO = "audio"
    VIDEO_NOTE = "video_note"
    VIDEO = "video"
    DOCUMENT = "document"


class MessageKind(StrEnum):
    """Kind of a Telegram message that shows the recognised text, and that the bot sends in addition to the answer."""

    DOCUMENT = "document"
    SUBTITLES = "subtitles"
    PART = "part"


class Transcription(BaseModel):
    """A message; its `id` is part of the keys of its objects in the object store (`glas.domain.object_keys`)."""

    model_config = ConfigDict(frozen=True)

    id: int
    user_id: int
    bot_id: int
    chat_id: int
    message_id: int
    attempt: int = Field(
        default=1,
        ge=1,
        description="Number of the attempt to recognise the message, from 1. Each press of the button «Повторить» "
        "is a new attempt.",
    )
    answer_message_id: int | None = None
    answer_chat_id: int | None = Field(
        default=None,
        description="Telegram's id of the chat of the answer. It differs from `chat_id` if the group has become a "
        "supergroup. null means that it is `chat_id`.",
    )
    file_id: str = Field(
        description="Telegram's permanent id of the file. The bot can download the audio again with it."
    )
    file_unique_id: str = Field(
        description="Telegram's id of the file that does not change if other people send the same file."
    )
    media_kind: MediaKind
    is_forwarded: bool = Field(
        default=False,
        description="Whether the message was forwarded. The voice is then another person's. The message is "
        "answered, but not used for training.",
    )
    duration_s: float | None = Field(
        default=None,
        ge=0,
        description="Length of the recording in seconds, counted in decoded samples. null before the recognition.",
    )
    status: Status = Status.PENDING
    failure_code: str | None = None
    text: str | None = None
    reference: str | None = Field(
        default=None, description="Words that a person gave and that are not doubtful. null if there are none."
    )
    corrected_text: str | None = Field(
        default=None, description="Current correction, even if it is doubtful. null if there is none."
    )
    rank: Rank | None = Field(default=None, description="Reliability of the current correction. null if there is none.")
    confidence: float | None = Field(default=None, ge=0, le=1)
    model: str | None = None
    model_version: str | None = Field(
        default=None,
        description="Version of the model that recognised the message: a hash of the files with its weights. null "
        "if it is not known.",
    )
    fingerprint: str | None = Field(
        default=None,
        description="sha256 of the decoded samples. It is equal for two files with the same audio. null if it is "
        "not known.",
    )
    score: Score = Score.NOT_RATED
    audio_key: str | None = None
    audio_sha256: str | None = Field(
        default=None, description="sha256 of the original file. null if the file is not stored."
    )
    audio_size_bytes: int | None = Field(default=None, ge=0)
    creation_datetime: datetime
    changed_datetime: datetime = Field(
        description="Time at which any field of the message last changed. An export reads the messages that "
        "changed since the previous export."
    )

    @property
    def traceparent(self) -> str:
        """The ids of the message's trace and of its first span; see `traceparent_of`."""
        return traceparent_of(self.file_unique_id, self.message_id)

    @property
    def shown_text(self) -> str:
        """The text that people see: the corrected words, or the recognised text if there is no correction."""
        return self.corrected_text or self.text or ""


class SecondHypothesis(BaseModel):
    """The text that another model recognised for a message; it is shown to reviewers but not to the speaker."""

    model_config = ConfigDict(frozen=True)

    transcription_id: int
    text: str
    confidence: float | None = None
    model: str
    model_version: str


def traceparent_of(file_unique_id: str, message_id: int) -> str:
    """Return the ids of a message's trace and of its first span, in the format of the W3C header `traceparent`.

    The ids are computed from values in the message's row, so that an export can find the trace of an older message.
    `file_unique_id` cannot be guessed, and does not depend on the person. So the ids of the trace do not show who sent
    the message.

    Args:
        file_unique_id: Telegram's id of the file, which is the same for all bots.
        message_id: number of the message in its chat; it distinguishes messages with the same file.
    """
    digest = hashlib.sha256(f"glas trace {file_unique_id} {message_id}".encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
