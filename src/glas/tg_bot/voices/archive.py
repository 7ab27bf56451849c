"""Archive an answered recording: original bytes and text in the object store, digest and key in the database."""

import asyncio
from dataclasses import dataclass

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, GlasError, NotFoundError, OverloadedError
from glas.durable import Durable
from glas.tg_bot.voices.desk import Shelf
from glas.tg_bot.voices.hearing import Hearing
from glas.tg_bot.voices.jobs import ArchiveJob
from glas.tg_bot.voices.steps import Steps

_EXPORT_PAUSE_S, _LOOK_S = 5.0, 0.5

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Archiving:
    """Objects that archiving needs."""

    steps: Steps
    durable: Durable
    hearing: Hearing
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    shelf: Shelf

    async def keep(self, arguments: dict[str, object]) -> None:
        """Archive one recording; this is the workflow."""
        job = ArchiveJob.model_validate(arguments)
        try:
            await self.steps.do(
                "archive", lambda: self.store(job.transcription_id, job.file_id, job.file_unique_id, job.text)
            )
        except NotFoundError:
            # The person's data was deleted meanwhile, so delete what was just stored, too.
            await self.steps.do("unarchive", lambda: self.data_loader.delete(job.transcription_id))
            await self.steps.do("forget", lambda: self.durable.forget(str(job.person)))
        except GlasError as error:
            # The nightly repair tries again.
            _log.error("a recording was not archived", transcription=job.transcription_id, code=error.code)

    async def clean(self) -> None:
        """Export after a deletion, as soon as no other export runs, and wait for its end; this is the workflow."""

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
            await self.steps.do("clean", begin)
        except GlasError as error:
            _log.error("the export could not be begun; the next one takes the deleted messages away", code=error.code)

    async def store(self, transcription_id: int, file_id: str, file_unique_id: str, text: str) -> None:
        """Store bytes, digest and text; download the bytes again if they are not in memory any more."""
        data = self.shelf.get(file_unique_id)
        if data is None:
            data = await self.hearing.fetch(file_id)
        stored = await self.data_loader.store_audio(transcription_id, data)
        await self.db_assist.archive(
            transcription_id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes
        )
        await self.data_loader.store_transcription(transcription_id, text)
        self.shelf.take(file_unique_id)
