"""Make and check the keys of objects in the object store.

Keys of messages begin with the id of the message. Keys of models begin with `models/` and the version of the model. The
routes for messages do not accept keys of models.
"""

import re
from typing import Annotated, Final

from pydantic import WithJsonSchema

from glas.domain.errors import InvalidParameterError

_PATTERN: Final = r"^([1-9][0-9]*)/\1_(?:audio\.[a-z0-9]{1,8}|transcription\.(?:txt|json))$"
_KEY = re.compile(_PATTERN.removeprefix("^").removesuffix("$"))

Key = Annotated[str, WithJsonSchema({"type": "string", "pattern": _PATTERN})]
"""The type of an object's key in the OpenAPI documents of routes.

`checked_key` checks the key, and its error message states the expected form.
"""


def audio_key(transcription_id: int, extension: str) -> str:
    """Return the key of a message's original audio; `extension` is the extension of its format, without the dot."""
    return checked_key(f"{transcription_id}/{transcription_id}_audio.{extension}")


def transcription_key(transcription_id: int) -> str:
    """Return the key of a message's recognised text."""
    return checked_key(f"{transcription_id}/{transcription_id}_transcription.txt")


def recognition_key(transcription_id: int) -> str:
    """Return the key of a message's kept recognition, with segments and words with times; see `glas.domain.kept`."""
    return checked_key(f"{transcription_id}/{transcription_id}_transcription.json")


def checked_key(key: str) -> str:
    """Return `key` unchanged if it is a key of Glas. Objects with other keys in the store must not be accessible.

    Raises:
        InvalidParameterError: `key` is not a key of Glas.
    """
    if not is_key(key):
        raise InvalidParameterError(
            f"expected a key like '7/7_audio.ogg' or '7/7_transcription.txt', got {key[:80]!r}", param="key"
        )
    return key


def is_key(key: str) -> bool:
    """Return whether `key` is a key of Glas."""
    return _KEY.fullmatch(key) is not None


def part_key(version: str, sha256: str) -> str:
    """Return the key of one part of the files of the model with this `version`; `sha256` is the hash of the part."""
    return f"models/{version}/{sha256}"


def files_key(version: str) -> str:
    """Return the key of the list of all files of the model with this `version`."""
    return f"models/{version}/files.json"
