"""Export one message: download, check and decode its recording, and write its directory."""

import hashlib
import mmap
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import structlog

from glas.audio.decoder import DecoderPool
from glas.data_loader.folders import Folders, write_wav
from glas.data_loader.record import Record
from glas.domain.errors import CorruptAudioError, EmptyAudioError, NotFoundError, ServiceFaultError
from glas.domain.object_keys import recognition_key
from glas.s3 import Store
from glas.system.files import to_disk

InThread: TypeAlias = Callable[..., Awaitable[Any]]

_log = structlog.stdlib.get_logger("glas.data_loader")


class MessageWriter:
    """Writes the directories of messages.

    Args:
        store: the object store with the original recordings.
        decoder: pool of processes that decode the recordings.
        folders: the locked directories of the export.
        in_thread: function that runs another function in a thread. It is used for functions that wait for the disk or a
            decoder.
        on_step: function that is called after each step; see `ExportOptions`.
    """

    def __init__(
        self, store: Store, decoder: DecoderPool, folders: Folders, in_thread: InThread, on_step: Callable[[str], None]
    ) -> None:
        self._store = store
        self._decoder = decoder
        self._folders = folders
        self._in_thread = in_thread
        self._on_step = on_step

    async def write(self, record: Record, known: Record | None) -> Record | None:
        """Write the directory of a message under a temporary name, and rename it when it is complete.

        Args:
            record: the data about the message, in which the duration is not yet known.
            known: the data in the message's current directory; None if the message has no complete directory.

        Returns:
            The data with the duration; None if the decoder failed for a reason that does not depend on the file.

        Raises:
            NotFoundError: the original recording is not in the store.
            AudioError: the recording's size or hash differs from the database, or the recording cannot be decoded.
            ServiceError: the store cannot be reached.
        """
        draft = self._folders.draft(str(record.id))
        # A message may appear twice in one run, if it changes meanwhile.
        await self._in_thread(shutil.rmtree, draft, ignore_errors=True)
        await self._in_thread(draft.mkdir)
        duration_s = await self._audio(record, known, draft)
        if duration_s is None:
            return None
        file = await self._recognition(record.id, draft)
        record = record.model_copy(update={"duration_s": duration_s, "recognition_file": file})
        await self._in_thread(self._folders.write_texts, record, draft)
        self._on_step("folder built")
        await self._in_thread(self._folders.place, draft, record)
        self._on_step("folder placed")
        return record

    async def _audio(self, record: Record, known: Record | None, draft: Path) -> float | None:
        is_same_audio = known is not None and known.original.sha256 == record.original.sha256
        if is_same_audio and await self._in_thread(self._folders.reuse_audio, known, draft, record.audio_file):
            return known.duration_s if known is not None else None
        original = draft.with_suffix(".original")
        await self._fetch(record, original)
        self._on_step("original fetched")
        try:
            duration: float = await self._in_thread(self._decode, original, draft / record.audio_file)
        except ServiceFaultError as error:
            _log.warning("the decoder failed; the next export tries again", id=record.id, error=str(error))
            return None
        finally:
            original.unlink()
        return duration

    async def has_more(self, record: Record) -> bool:
        """Return whether the object store contains a kept recognition that is missing in the message's directory.

        This is possible if the recognition was stored after the message had been exported.
        """
        if record.recognition_file is not None:
            return False
        try:
            await self._store.size(recognition_key(record.id))
        except NotFoundError:
            return False
        return True

    async def _recognition(self, transcription_id: int, draft: Path) -> str | None:
        """Copy the kept recognition from the object store into the directory `draft`, unchanged.

        Returns:
            The name of the new file; None if no recognition is stored.
        """
        path = draft / PurePosixPath(recognition_key(transcription_id)).name
        try:
            content = b"".join([part async for part in self._store.stream(recognition_key(transcription_id))])
        except NotFoundError:
            return None
        await self._in_thread(path.write_bytes, content)
        await self._in_thread(to_disk, path)
        return path.name

    async def _fetch(self, record: Record, path: Path) -> None:
        """Copy the recording to `path` in parts, and compare its size and sha256 with the values in the database."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            async for part in self._store.stream(record.original.key):
                digest.update(part)
                await self._in_thread(file.write, part)
        if digest.hexdigest() != record.original.sha256:
            raise CorruptAudioError(f"the object {record.original.key} is not what was stored")

    def _decode(self, original: Path, wav: Path) -> float:
        # The file is mapped into memory and not read, so that four recordings of 200 MB do not need 800 MB.
        with original.open("rb") as file:
            if not original.stat().st_size:
                raise EmptyAudioError(f"{original.name} is empty")
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as data,
                self._decoder.open(data) as recording,
            ):
                return write_wav(wav, recording)
