"""Pack all data that is stored about a person: into zip files of a size that Telegram accepts, or into one stream."""

import asyncio
import io
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.held_bodies import PersonalData
from glas.domain.errors import NotFoundError
from glas.domain.object_keys import recognition_key, transcription_key

PART_BYTES: Final = 45_000_000
"""Largest number of bytes of files in one zip file.

Telegram accepts documents of up to 50 MB from bots: https://core.telegram.org/bots/api#senddocument (2026-11).
"""

_PIECE_BYTES: Final = 4_000_000
_SMALL_BYTES: Final = 64_000

_log = structlog.stdlib.get_logger("glas.clients")


class Part(NamedTuple):
    """One of several zip files that together contain a person's data."""

    content: bytes
    is_last: bool


class _Entry(NamedTuple):
    """A file to be packed; `read` returns its bytes from one position up to another."""

    name: str
    size_bytes: int
    read: Callable[[int, int], Awaitable[bytes]]


async def packed(
    data: PersonalData, data_loader: DataLoaderClient, *, part_bytes: int = PART_BYTES
) -> AsyncIterator[Part]:
    """Yield zip files that together contain all data: `data.json`, texts, recognitions and recordings.

    One zip file is in memory at a time. A file that is larger than `part_bytes` is divided into `name.001`, `name.002`
    and so on. The person must join these parts.

    Args:
        data: the data about the person in the database.
        data_loader: client of the service with the objects.
        part_bytes: largest number of bytes of files in one zip file.
    """
    files: dict[str, bytes] = {}
    n_bytes = 0
    async for entry in _entries(data, data_loader):
        try:
            async for name, content in _pieces(entry, part_bytes):
                if files and n_bytes + len(content) > part_bytes:
                    yield Part(await asyncio.to_thread(_zip, files), is_last=False)
                    files, n_bytes = {}, 0
                files[name] = content
                n_bytes += len(content)
        except NotFoundError:
            _log.warning("an object of a person is missing in the object store", key=entry.name)
    yield Part(await asyncio.to_thread(_zip, files), is_last=True)


async def streamed(data: PersonalData, data_loader: DataLoaderClient) -> AsyncIterator[bytes]:
    """Yield the bytes of one zip file with all data about a person; only some megabytes are in memory at a time."""
    tape = _Tape()
    with zipfile.ZipFile(tape, "w", zipfile.ZIP_DEFLATED) as archive:
        async for entry in _entries(data, data_loader):
            info = zipfile.ZipInfo(entry.name, time.gmtime()[:6])
            # Files are not compressed: sound is compressed already, and texts are short.
            info.compress_type = zipfile.ZIP_DEFLATED if entry.size_bytes < _SMALL_BYTES else zipfile.ZIP_STORED
            try:
                first = await entry.read(0, min(entry.size_bytes, _PIECE_BYTES))
            except NotFoundError:
                _log.warning("an object of a person is missing in the object store", key=entry.name)
                continue
            with archive.open(info, "w", force_zip64=True) as file:
                file.write(first)
                yield tape.taken()
                for start in range(len(first), entry.size_bytes, _PIECE_BYTES):
                    file.write(await entry.read(start, min(start + _PIECE_BYTES, entry.size_bytes)))
                    yield tape.taken()
    yield tape.taken()


class _Tape(io.RawIOBase):
    """A file to which a zip writer appends.

    `taken` returns the bytes that were written and removes them from memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """Return the bytes that were written since the last call."""
        piece, self._written = bytes(self._written), bytearray()
        return piece


async def _entries(data: PersonalData, data_loader: DataLoaderClient) -> AsyncIterator[_Entry]:
    yield _in_memory("data.json", data.model_dump_json(indent=2).encode())
    for row in data.transcriptions:
        if row.text is not None:
            yield _in_memory(transcription_key(row.id), row.text.encode())
        if (recognition := await _recognition(row.id, data_loader)) is not None:
            yield _in_memory(recognition_key(row.id), recognition)
        if row.audio_key is not None:
            name = f"{row.id}/{PurePosixPath(row.audio_key).name}"
            yield _Entry(name, row.audio_size_bytes or 0, partial(data_loader.fetch_audio, row.audio_key))


async def _recognition(transcription_id: int, data_loader: DataLoaderClient) -> bytes | None:
    """Return the stored words with their times as JSON; None if no words with times are stored for the message."""
    try:
        return await data_loader.fetch_audio(recognition_key(transcription_id))
    except NotFoundError:
        return None


def _in_memory(name: str, content: bytes) -> _Entry:
    async def read(start: int, end: int) -> bytes:
        return content[start:end]

    return _Entry(name, len(content), read)


async def _pieces(entry: _Entry, part_bytes: int) -> AsyncIterator[tuple[str, bytes]]:
    """Yield the name and the content of a file.

    A file of more than `part_bytes` is divided into parts with the names `NAME.001`, `NAME.002` and so on.
    """
    if entry.size_bytes <= part_bytes:
        yield entry.name, await entry.read(0, entry.size_bytes)
        return
    for number, start in enumerate(range(0, entry.size_bytes, part_bytes), start=1):
        content = await entry.read(start, min(start + part_bytes, entry.size_bytes))
        yield f"{entry.name}.{number:03}", content


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
