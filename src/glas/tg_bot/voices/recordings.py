"""Find the recording in a Telegram message."""

from typing import TypeAlias

from aiogram.types import Audio, Document, Message, MessageOriginUser, Video, VideoNote, Voice
from pydantic import BaseModel, ConfigDict

from glas.domain.messages import MediaKind

_AUDIO_TYPES = ("audio/", "video/", "application/ogg")
# The same containers as `glas.audio.formats`, under all names that they have.
_AUDIO_EXTENSIONS = (
    *(
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".m4a",
        ".m4b",
        ".aac",
        ".wav",
        ".w64",
        ".flac",
        ".amr",
        ".aiff",
        ".aif",
        ".caf",
    ),
    *(".au", ".wma", ".weba", ".mka", ".webm", ".mp4", ".m4v", ".mov", ".mkv", ".3gp", ".avi", ".wmv", ".asf", ".flv"),
    *(".mpg", ".mpeg", ".ts"),
)


_File: TypeAlias = Voice | VideoNote | Audio | Video | Document


class Recording(BaseModel):
    """A file with sound, as Telegram describes it; the real size and duration are checked later."""

    model_config = ConfigDict(frozen=True)

    file_id: str
    file_unique_id: str
    kind: MediaKind
    size_bytes: int = 0
    duration_s: float = 0.0
    is_forwarded: bool = False


def recording_in(message: Message) -> Recording | None:
    """Return the recording of a message; None if there is none."""
    found = _found_in(message)
    if found is None:
        return None
    kind, file = found
    return Recording(
        file_id=file.file_id,
        file_unique_id=file.file_unique_id,
        kind=kind,
        size_bytes=file.file_size or 0,
        duration_s=float(getattr(file, "duration", 0) or 0),
        is_forwarded=_is_of_another(message),
    )


def _found_in(message: Message) -> tuple[MediaKind, _File] | None:
    if message.voice:
        return MediaKind.VOICE, message.voice
    if message.video_note:
        return MediaKind.VIDEO_NOTE, message.video_note
    if message.audio:
        return MediaKind.AUDIO, message.audio
    if message.video:
        return MediaKind.VIDEO, message.video
    document = message.document
    # An animation also comes as a document; it has no sound.
    if document and not message.animation and _sounds(document.mime_type, document.file_name):
        return MediaKind.DOCUMENT, document
    return None


def _sounds(mime_type: str | None, file_name: str | None) -> bool:
    return (mime_type or "").startswith(_AUDIO_TYPES) or (file_name or "").lower().endswith(_AUDIO_EXTENSIONS)


def _is_of_another(message: Message) -> bool:
    """Return whether a recording was forwarded from another person.

    Return False if a person has forwarded a recording of their own.
    """
    origin = message.forward_origin
    if origin is None:
        return False
    own = message.from_user.id if message.from_user else None
    return not (isinstance(origin, MessageOriginUser) and origin.sender_user.id == own)
