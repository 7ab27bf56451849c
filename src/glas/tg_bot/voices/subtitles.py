"""Subtitles of the current text: corrected words have the times of the words that they replace."""

from dataclasses import dataclass

from glas.clients.data_loader import DataLoaderClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.messages import Transcription
from glas.domain.realignment import realigned
from glas.domain.subtitles import to_srt
from glas.tg_bot.voices.hearing import Hearing


@dataclass(frozen=True)
class Subtitling:
    """Objects that subtitles need."""

    data_loader: DataLoaderClient
    nn_service: NnServiceClient
    hearing: Hearing

    async def subtitles(self, row: Transcription) -> str:
        """Return the SubRip subtitles of a message; recognise it once more to get the times.

        Raises:
            GlasError: the recording cannot be had or recognised.
        """
        if row.audio_key is not None:
            data = await self.data_loader.fetch_audio(row.audio_key)
        else:
            data = await self.hearing.fetch(row.file_id)
        hypothesis = (await self.nn_service.transcribe(data)).hypothesis
        return to_srt(hypothesis if row.corrected_text is None else realigned(hypothesis, row.corrected_text))
