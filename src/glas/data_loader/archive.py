"""Store, return and delete the objects of messages in the object store: original recording, text, kept recognition."""

import asyncio
import hashlib
import mmap
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager

from fastapi import Request

from glas.audio.formats import AudioFormat, sniff
from glas.clients.data_loader_bodies import Expected, StoredObject
from glas.domain.errors import ConflictError, InvalidParameterError, NotFoundError
from glas.domain.kept import KeptRecognition
from glas.domain.object_keys import audio_key, checked_key, recognition_key, transcription_key
from glas.s3 import PART_BYTES, Data, Store

_TEXT_EXTENSION, _RECOGNITION_EXTENSION = "txt", "json"
_MEDIA_TYPES = {one.extension: one.media_type for one in AudioFormat} | {
    _TEXT_EXTENSION: "text/plain; charset=utf-8",
    _RECOGNITION_EXTENSION: "application/json",
}


class Archive:
    """Stores, checks, returns and deletes the objects of messages."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def put_audio(self, transcription_id: int, data: Data, *, lost_sha256: str | None = None) -> StoredObject:
        """Store the original bytes of a recording; the first bytes determine the extension in the object's key.

        Args:
            transcription_id: id of the message.
            data: the original bytes of the recording.
            lost_sha256: None for a new recording. To restore a lost object, give its sha256, which `data` must have.
                Then, if the stored object is damaged, `data` replaces the stored object.

        Raises:
            InvalidParameterError: `data` does not have the sha256 `lost_sha256`.
            AudioError: `data` is empty, or its first bytes belong to no audio format.
            ConflictError: other bytes are stored for this message, perhaps in another format.
        """
        extension = sniff(data).extension
        key = audio_key(transcription_id, extension)
        if lost_sha256 is not None:
            await self._make_room(key, data, lost_sha256)
        others = [one for one in await self.store.keys(transcription_id) if _is_audio(one) and one != key]
        if others:
            raise ConflictError(f"other bytes are stored for message {transcription_id}: {others[0]}", param="id")
        return StoredObject(**(await self.store.put(key, data))._asdict(), extension=extension)

    async def put_text(self, transcription_id: int, data: Data, *, lost_sha256: str | None = None) -> StoredObject:
        """Store the recognised text of a message, encoded in UTF-8; for `lost_sha256`, see `put_audio`.

        Raises:
            ConflictError: another text is stored for this message.
        """
        key = transcription_key(transcription_id)
        if lost_sha256 is not None:
            await self._make_room(key, data, lost_sha256)
        stored = await self.store.put(key, data)
        return StoredObject(**stored._asdict(), extension=_TEXT_EXTENSION)

    async def put_recognition(self, transcription_id: int, kept: KeptRecognition) -> StoredObject:
        """Store the kept recognition of a message.

        Raises:
            ConflictError: another recognition is stored for this message.
        """
        stored = await self.store.put(recognition_key(transcription_id), kept.model_dump_json().encode())
        return StoredObject(**stored._asdict(), extension=_RECOGNITION_EXTENSION)

    async def lost(self, expected: Sequence[Expected]) -> list[str]:
        """Return the keys of those expected objects that are missing, or have another size or hash than expected.

        Raises:
            InvalidParameterError: a key does not have the format of the keys of Glas.
        """
        return [one.key for one in expected if not await self._is_there(one)]

    async def _is_there(self, expected: Expected) -> bool:
        try:
            if await self.store.size(checked_key(expected.key)) != expected.size_bytes:
                return False
        except NotFoundError:
            return False
        return expected.sha256 is None or await self.store.digest(expected.key) == expected.sha256

    async def _make_room(self, key: str, data: Data, lost_sha256: str) -> None:
        """Delete the object under `key` if it is damaged, so that `data` can be stored under the same key.

        Raises:
            InvalidParameterError: `data` does not have the sha256 of the lost object.
        """
        came = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        if came != lost_sha256:
            raise InvalidParameterError(
                f"expected the bytes that were lost (sha256 {lost_sha256[:12]}…), got others ({came[:12]}…)",
                param="lost_sha256",
            )
        if await self.store.digest(key) not in (None, lost_sha256):
            await self.store.delete([key])

    async def delete(self, transcription_id: int) -> None:
        """Delete all objects of a message; do nothing if the message has no objects."""
        await self.store.delete(await self.store.keys(transcription_id))

    async def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete objects by their keys.

        Raises:
            InvalidParameterError: a key does not have the format of the keys of Glas; nothing was deleted.
        """
        await self.store.delete([checked_key(key) for key in keys])


def media_type(key: str) -> str:
    """Return the media type for HTTP of the object with the given key."""
    return _MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Data]:
    """Open a context with the body of a request; a large body is in a memory-mapped temporary file."""
    with ExitStack() as stack:
        small, large = bytearray(), None
        async for chunk in request.stream():
            small += chunk
            if len(small) > PART_BYTES:
                large = large or stack.enter_context(tempfile.TemporaryFile())
                large.write(small)
                small.clear()
        if large is None:
            yield bytes(small)
            return
        large.write(small)
        large.flush()
        with mmap.mmap(large.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view


def _is_audio(key: str) -> bool:
    return "_audio." in key and not key.endswith(".part")
