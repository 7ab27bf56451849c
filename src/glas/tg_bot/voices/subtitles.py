"""Make subtitles of the current text of a message; corrected words get the times of the words that they replace."""

import secrets
from dataclasses import dataclass

import structlog

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import NotFoundError, ServiceError
from glas.domain.kept import KeptRecognition
from glas.domain.messages import Transcription
from glas.domain.paragraphs import CHARS, in_paragraphs
from glas.domain.realignment import realigned
from glas.domain.subtitles import to_srt
from glas.domain.transcription import Hypothesis
from glas.tg_bot.voices.admission import AdmissionControl, DailyLimitError
from glas.tg_bot.voices.archive import store_recognition
from glas.tg_bot.voices.recognising import RecordingRecogniser

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Subtitling:
    """Makes subtitles; its fields contain the objects that it uses."""

    data_loader: DataLoaderClient
    db_assist: DbAssistClient
    recogniser: RecordingRecogniser
    admission_control: AdmissionControl

    async def subtitles(self, row: Transcription, person: int) -> str:
        """Return the subtitles of a message in the format SubRip.

        The times in the subtitles come from the recognition that is stored with the message.

        If no recognition is stored with the message, for example because an older version of Glas did not store it, the
        recording is recognised again, and the result is stored. The recording then waits for a seat and counts towards
        the daily limit, like any other recording.

        Args:
            row: the message.
            person: Telegram id of its speaker.

        Raises:
            DailyLimitError: the recording must be recognised again, but the daily limit of the speaker is reached.
            GlasError: the recording cannot be read or recognised.
        """
        hypothesis = await self._kept(row) or await self._recognised(row, person)
        # Another model may recognise other words than those that the message shows.
        is_shown = hypothesis.text.split() == row.shown_text.split()
        return to_srt(hypothesis if is_shown else realigned(hypothesis, row.shown_text))

    async def paragraphs(self, row: Transcription) -> str:
        """Return the text of a message as it is shown in Telegram.

        A long text is divided into paragraphs, if the times of its words are available.
        """
        if len(row.shown_text) <= CHARS:
            return row.shown_text
        hypothesis = await self._kept(row)
        return row.shown_text if hypothesis is None else in_paragraphs(hypothesis, row.shown_text)

    async def _kept(self, row: Transcription) -> Hypothesis | None:
        try:
            kept = await self.data_loader.fetch_recognition(row.id)
        except ServiceError as error:
            _log.warning("a recognition could not be read", transcription=row.id, code=error.code, error=error.message)
            return None
        return None if kept is None else kept.recognition.hypothesis

    async def _recognised(self, row: Transcription, person: int) -> Hypothesis:
        pseudonyms = self.admission_control.pseudonyms
        party = pseudonyms.party(person)
        if minutes := await self.admission_control.minutes_exceeded(person, party, row.duration_s or 0.0):
            raise DailyLimitError(f"expected at most {minutes} minutes of sound in a day, got more")

        async def read() -> bytes:
            if row.audio_key is not None:
                return await self.data_loader.fetch_audio(row.audio_key)
            return await self.recogniser.fetch(row.file_id)

        recognition = await self.recogniser.recognise_stored(read)
        # Each recognition gets a new name, so it counts towards the limit even if this recording was counted before. If
        # the result cannot be stored, the next request recognises the recording again.
        name, duration_s = secrets.token_hex(), recognition.hypothesis.duration_s
        await self.db_assist.count_usage(pseudonyms.record(party, name, duration_s))
        await self._keep(row, KeptRecognition(recognition=recognition))
        return recognition.hypothesis

    async def _keep(self, row: Transcription, kept: KeptRecognition) -> None:
        """Store a recognition; do nothing if the object store is unavailable, or if the person's data was deleted."""
        try:
            await store_recognition(self.data_loader, row.id, kept)
            await self.db_assist.transcription(row.id)
        except NotFoundError:
            await self.data_loader.delete(row.id)
        except ServiceError as error:
            _log.warning(
                "a recognition could not be stored", transcription=row.id, code=error.code, error=error.message
            )
