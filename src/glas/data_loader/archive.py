"""Keeping a message's original bytes and text, giving them back, deleting them."""

import mmap
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import Request

from glas.audio.formats import AudioFormat, sniff
from glas.clients.data_loader import StoredObject
from glas.domain.errors import ConflictError
from glas.s3 import PART_BYTES, Data, Store
from glas.s3.keys import audio_key, checked_key, transcription_key

_TEXT_EXTENSION = "txt"
_MEDIA_TYPES = {one.extension: one.media_type for one in AudioFormat} | {_TEXT_EXTENSION: "text/plain; charset=utf-8"}


class Archive:
    """What the routes do with the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def put_audio(self, transcription_id: int, data: Data) -> StoredObject:
        """Keep the original bytes of a message, under an extension that they themselves tell.

        Raises:
            AudioError: they are empty, or no audio by their first bytes.
            ConflictError: other bytes were kept for this message, perhaps of another format.
        """
        extension = sniff(data).extension
        key = audio_key(transcription_id, extension)
        others = [one for one in await self.store.keys(transcription_id) if _is_audio(one) and one != key]
        if others:
            raise ConflictError(f"other bytes are stored for message {transcription_id}: {others[0]}", param="id")
        return StoredObject(**(await self.store.put(key, data))._asdict(), extension=extension)

    async def put_text(self, transcription_id: int, data: Data) -> StoredObject:
        """Keep the recognised text of a message, UTF-8.

        Raises:
            ConflictError: another text was kept for this message.
        """
        stored = await self.store.put(transcription_key(transcription_id), data)
        return StoredObject(**stored._asdict(), extension=_TEXT_EXTENSION)

    async def delete(self, transcription_id: int) -> None:
        """Delete everything of a message."""
        await self.store.delete(await self.store.keys(transcription_id))

    async def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete objects by their keys.

        Raises:
            InvalidParameterError: one is no key of ours; nothing was deleted.
        """
        await self.store.delete([checked_key(key) for key in keys])


def media_type(key: str) -> str:
    """What an object is, for HTTP."""
    return _MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Data]:
    """The body of a request: in memory if it is small, in a nameless file that is mapped if it is large."""
    small = bytearray()
    with tempfile.TemporaryFile() as large:
        async for chunk in request.stream():
            small += chunk
            if len(small) > PART_BYTES:
                large.write(small)
                small.clear()
        if not large.tell():
            yield bytes(small)
            return
        large.write(small)
        large.flush()
        with mmap.mmap(large.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view


def _is_audio(key: str) -> bool:
    return "_audio." in key and not key.endswith(".part")
