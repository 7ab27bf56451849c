"""Archive an answered recording: store bytes, text and recognition in the object store, then update the database.

The database is updated last. So if a row contains the key of its audio, all objects of the message are stored. The
export relies on this.
"""

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, GlasError, NotFoundError, OverloadedError
from glas.domain.kept import KeptRecognition
from glas.durable import Durable
from glas.tg_bot.voices.jobs import ArchiveJob, ToArchive
from glas.tg_bot.voices.recognising import RecordingRecogniser
from glas.tg_bot.voices.recognition_queue import ByteCache
from glas.tg_bot.voices.steps import Steps

_EXPORT_PAUSE_S, _LOOK_S = 5.0, 0.5

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Archiving:
    """Archives recordings; its fields contain the objects that it uses."""

    steps: Steps
    durable: Durable
    recogniser: RecordingRecogniser
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    byte_cache: ByteCache

    async def keep(self, arguments: dict[str, object]) -> None:
        """Archive one recording; this function is the workflow of an `ArchiveJob`."""
        job = ArchiveJob.model_validate(arguments)
        try:
            await self.steps.run("archive", lambda: self.store(job))
        except NotFoundError:
            # The person's data was deleted meanwhile, so delete what was just stored, too.
            await self.steps.run("unarchive", lambda: self.data_loader.delete(job.transcription_id))
            await self.steps.run("forget", lambda: self.durable.forget(str(job.person)))
        except GlasError as error:
            # The nightly repair tries again.
            _log.error("a recording was not archived", transcription=job.transcription_id, code=error.code)

    async def clean(self) -> None:
        """Start an export after a deletion, as soon as no other export runs, and wait until this export has ended.

        This function is the workflow of a `CleanJob`. The export removes the messages that were deleted.
        """

        async def begin() -> None:
            try:
                state = await self.data_loader.start_export(only_again=True)
                while state.is_running:
                    await asyncio.sleep(_LOOK_S)
                    state = await self.data_loader.export_state()
            except ConflictError as error:
                # The running export may already have passed these messages.
                raise OverloadedError(error.message, retry_after_s=_EXPORT_PAUSE_S) from error

        try:
            await self.steps.run("clean", begin)
        except GlasError as error:
            _log.error("the export could not be started; the next export removes the deleted messages", code=error.code)

    async def store(self, job: ToArchive) -> None:
        """Store the bytes, the text and the recognition of a message.

        Afterwards, write the key and the sha256 of the bytes into the row of the message.

        Bytes that are still in memory are used. Otherwise, the bytes are read from the object store if another message
        with the same file was archived. If there is no such message, the bytes are downloaded again from Telegram.
        """
        transcription_id = job.transcription_id
        data = self.byte_cache.get(job.file_unique_id)
        if data is None and job.same_as is not None:
            data = await self._stored(job.same_as)
        if data is None:
            data = await self.recogniser.fetch(job.file_id)
        stored = await self.data_loader.store_audio(transcription_id, data)
        await self.data_loader.store_transcription(transcription_id, job.text)
        kept = job.kept
        if kept is None and job.same_as is not None:
            kept = await self.data_loader.fetch_recognition(job.same_as)
        if kept is not None:
            await store_recognition(self.data_loader, transcription_id, kept)
        await self.db_assist.archive(
            transcription_id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes
        )
        self.byte_cache.take(job.file_unique_id)

    async def _stored(self, transcription_id: int) -> bytes | None:
        """Return the stored bytes of a message; None if they are missing, or do not have the sha256 in the row."""
        try:
            row = await self.db_assist.transcription(transcription_id)
            if row.audio_key is None:
                return None
            data = await self.data_loader.fetch_audio(row.audio_key)
        except GlasError:
            return None
        return data if hashlib.sha256(data).hexdigest() == row.audio_sha256 else None


async def store_recognition(data_loader: DataLoaderClient, transcription_id: int, kept: KeptRecognition) -> None:
    """Store the recognition of a message, unless a recognition is stored already.

    If subtitles are requested before the message is archived, the recording is recognised a second time. Of these two
    recognitions, the one that is stored first is kept.
    """
    with contextlib.suppress(ConflictError):
        await data_loader.store_recognition(transcription_id, kept)
