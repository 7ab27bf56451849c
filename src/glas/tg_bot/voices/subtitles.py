"""Subtitles of the current text: corrected words have the times of the words that they replace."""

from dataclasses import dataclass

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import NotFoundError, ServiceError
from glas.domain.kept import KeptRecognition
from glas.domain.messages import Transcription
from glas.domain.realignment import realigned
from glas.domain.subtitles import to_srt
from glas.domain.transcription import Hypothesis
from glas.tg_bot.voices.archive import store_recognition
from glas.tg_bot.voices.hearing import Hearing

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Subtitling:
    """Objects that subtitles need."""

    data_loader: DataLoaderClient
    db_assist: DbAssistClient
    nn_service: NnServiceClient
    hearing: Hearing

    async def subtitles(self, row: Transcription) -> str:
        """Return the SubRip subtitles of a message, from the recognition that was stored with it.

        A message of an older version of Glas, whose times were not stored, is recognised once more, and the result is
        stored.

        Raises:
            GlasError: the recording cannot be had or recognised.
        """
        hypothesis = await self._kept(row) or await self._recognised(row)
        # Another model may recognise other words than those that the message shows.
        is_shown = hypothesis.text.split() == row.shown_text.split()
        return to_srt(hypothesis if is_shown else realigned(hypothesis, row.shown_text))

    async def _kept(self, row: Transcription) -> Hypothesis | None:
        try:
            kept = await self.data_loader.fetch_recognition(row.id)
        except ServiceError as error:
            _log.warning("a recognition was not fetched", transcription=row.id, code=error.code, error=error.message)
            return None
        return None if kept is None else kept.recognition.hypothesis

    async def _recognised(self, row: Transcription) -> Hypothesis:
        if row.audio_key is not None:
            data = await self.data_loader.fetch_audio(row.audio_key)
        else:
            data = await self.hearing.fetch(row.file_id)
        recognition = await self.nn_service.transcribe(data)
        await self._keep(row, KeptRecognition(recognition=recognition))
        return recognition.hypothesis

    async def _keep(self, row: Transcription, kept: KeptRecognition) -> None:
        """Keep what was recognised, unless the store is away or the person was forgotten meanwhile."""
        try:
            await store_recognition(self.data_loader, row.id, kept)
            await self.db_assist.transcription(row.id)
        except NotFoundError:
            await self.data_loader.delete(row.id)
        except ServiceError as error:
            _log.warning("a recognition was not kept", transcription=row.id, code=error.code, error=error.message)
