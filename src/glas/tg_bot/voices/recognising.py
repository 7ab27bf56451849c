"""Get the text of a recording in Telegram: reuse the text of the same file, or download and recognise the file."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Self

import structlog
from aiogram import Bot
from pydantic import BaseModel, ConfigDict

from glas import tracing
from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import AudioError, GlasError, ServiceError
from glas.domain.kept import KeptRecognition
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import OwnModel, answering
from glas.domain.paragraphs import CHARS, in_paragraphs
from glas.domain.transcription import SURE, Recognition
from glas.domain.vocabulary import digest
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.voices.fetching import Fetching
from glas.tg_bot.voices.jobs import VoiceJob
from glas.tg_bot.voices.pseudonyms import Pseudonyms
from glas.tg_bot.voices.recognition_queue import RecognitionQueue, Ticket
from glas.tg_bot.voices.second import SecondHypotheses
from glas.tg_bot.voices.status import shown_status, status_text

# Recognition is possible without keywords and own model, so the bot waits only this long for them.
_LOOK_UP_TIMEOUT_S = 5.0

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Heard(BaseModel):
    """The text of a recording: a new recognition, or the text of an earlier message with the same file."""

    model_config = ConfigDict(frozen=True)

    text: str
    paragraphs: str = ""
    """The text divided into paragraphs if it is long; otherwise an empty text."""
    duration_s: float
    confidence: float | None = None
    model: str
    model_version: str | None = None
    fingerprint: str | None = None
    keywords_sha256: str | None = None
    foreign: str | None = None
    kept: KeptRecognition | None = None
    """The recognition that is stored with the text; None if the text of an earlier message is used."""
    same_as: int | None = None
    """The id of an earlier message with the same file, whose text is used; None if the recording was recognised."""

    @classmethod
    def of(cls, recognition: Recognition, keywords: Sequence[str]) -> Self:
        """Make the result from a new recognition, for which `keywords` were used."""
        hypothesis = recognition.hypothesis
        text = hypothesis.text.strip()
        return cls(
            text=text,
            paragraphs=in_paragraphs(hypothesis, text),
            duration_s=hypothesis.duration_s,
            confidence=hypothesis.confidence,
            model=hypothesis.model,
            model_version=hypothesis.model_version,
            fingerprint=recognition.fingerprint,
            keywords_sha256=digest(keywords),
            foreign=hypothesis.foreign,
            kept=KeptRecognition(recognition=recognition, n_keywords=len(keywords)),
        )

    @property
    def shown(self) -> str:
        """Return the text to show; it is divided into paragraphs if it is long."""
        return self.paragraphs or self.text

    @property
    def is_unsure(self) -> bool:
        """Return whether the confidence is so low that the person must be warned that the text may be wrong."""
        return self.confidence is not None and self.confidence < SURE


@dataclass
class RecordingRecogniser:
    """Downloads and recognises recordings."""

    bot: Bot
    nn_service: NnServiceClient
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    recognition_queue: RecognitionQueue
    fetching: Fetching
    pseudonyms: Pseudonyms
    second: SecondHypotheses
    n_keywords: int
    """Largest number of words from vocabularies that are sent with a recording."""

    def ticket(self, job: VoiceJob) -> Ticket:
        """Return a ticket, which represents a recording in the queue; pass the ticket to `hear`."""
        # A recording in the queue `LATER` has let recordings of other people pass. If its place depended on the time at
        # which it was sent, it would overtake these recordings here. So its place depends on the present time.
        return self.recognition_queue.ticket(int(time.time()) if job.is_later else job.date_s)

    def shown(
        self, place: tuple[int, int], job: VoiceJob, ticket: Ticket, say: Say
    ) -> AbstractAsyncContextManager[None]:
        """Show the progress while the context is open, in the message `place` (id of the chat, id of the message)."""
        return shown_status(self.bot, *place, lambda: status_text(ticket, job.recording.duration_s, say))

    async def hear(self, job: VoiceJob, ticket: Ticket, *, transcription_id: int | None = None) -> Heard:
        """Return the text of one recording.

        The text of an earlier message with the same file is used if possible. Otherwise the recording is downloaded and
        recognised.

        Args:
            job: the recording.
            ticket: represents the recording in the queue.
            transcription_id: id of the recording's row; None if nothing is stored about the recording.

        Raises:
            GlasError: the recording cannot be downloaded or recognised.
        """
        keywords, own = await asyncio.gather(self._keywords(job), self._own_model(job))
        if (known := await self._known(job, own, digest(keywords))) is not None:
            return known
        with self.recognition_queue.in_line(ticket):
            async with self.fetching.held(job.recording, ticket) as read, self.recognition_queue.seat(ticket):
                data = await read()
                try:
                    with tracing.span("tg_bot", "ask nn_service"):
                        recognition = await self.nn_service.transcribe(
                            data,
                            keywords=keywords,
                            bucket=self.pseudonyms.bucket(job.party),
                            own=own,
                            on_progress=ticket.tell,
                        )
                except AudioError:
                    # Another attempt downloads it again, as it may have been damaged in transit.
                    self.fetching.drop(job.recording)
                    raise
        if transcription_id is None:
            self.fetching.drop(job.recording)  # nothing is archived
        else:
            self.second.offer(transcription_id, recognition.hypothesis, data, keywords)
        return Heard.of(recognition, keywords)

    async def recognise_stored(self, read: Callable[[], Awaitable[bytes]]) -> Recognition:
        """Recognise a stored recording.

        The recording first waits for a seat, like a new recording. The bytes of the recording are read only when the
        recording has a seat.

        Raises:
            GlasError: the recording cannot be read or recognised.
        """
        ticket = self.recognition_queue.ticket(int(time.time()))
        with self.recognition_queue.in_line(ticket):
            async with self.recognition_queue.seat(ticket):
                return await self.nn_service.transcribe(await read())

    async def fetch(self, file_id: str) -> bytes:
        """Download a file from Telegram, and return its bytes."""
        return await self.fetching.fetch(file_id)

    async def _keywords(self, job: VoiceJob) -> tuple[str, ...]:
        """Return the keywords for a recording from the vocabularies; return no keywords if db_assist is unavailable."""
        if not self.n_keywords:
            return ()
        try:
            async with asyncio.timeout(_LOOK_UP_TIMEOUT_S):
                return await self.db_assist.keywords(job.chat_id, job.person, limit=self.n_keywords)
        except (GlasError, TimeoutError) as error:
            _log.warning("a recording is recognised without its vocabulary", error=type(error).__name__)
            return ()

    async def _own_model(self, job: VoiceJob) -> OwnModel | None:
        """Return the own model of the person, or else the own model of the chat.

        Return None if there is no own model, or if db_assist is unavailable.
        """
        try:
            async with asyncio.timeout(_LOOK_UP_TIMEOUT_S):
                return answering(await self.db_assist.own_models(tg_id=job.person, chat_id=job.chat_id))
        except (GlasError, TimeoutError) as error:
            _log.warning("a recording is recognised without its own model", error=type(error).__name__)
            return None

    async def _known(self, job: VoiceJob, own: OwnModel | None, keywords_sha256: str | None) -> Heard | None:
        """Return the result of an earlier message with the same file, if it may be used; otherwise return None.

        If a person has requested another attempt, no earlier result may be used. In other cases, the result may be used
        only if the same model in the same version would recognise the recording now, with the same keywords. Otherwise,
        a person could get an old text without the words that they have corrected since then, or a text with the
        keywords of another person.
        """
        file_unique_id = job.recording.file_unique_id
        if job.attempt > 1 or await self.db_assist.same_file(file_unique_id) is None:
            return None
        model = await self._served_model(job, own)
        if model is None:
            return None
        known = await self.db_assist.same_file(file_unique_id, model=model, keywords_sha256=keywords_sha256)
        if known is None or known.text is None:
            return None
        return Heard(
            text=known.text,
            paragraphs=await self._paragraphs(known.id, known.text),
            duration_s=known.duration_s or 0.0,
            confidence=known.confidence,
            model=model.name,
            model_version=model.version,
            fingerprint=known.fingerprint,
            keywords_sha256=keywords_sha256,
            same_as=known.id,
        )

    async def _served_model(self, job: VoiceJob, own: OwnModel | None) -> ModelRef | None:
        """Return the model that would recognise a recording now; None if nn_service does not answer.

        The answer is requested from nn_service each time, because the model may change.
        """
        try:
            return (await self.nn_service.health(bucket=self.pseudonyms.bucket(job.party), own=own)).served
        except GlasError:
            return None

    async def _paragraphs(self, transcription_id: int, text: str) -> str:
        """Divide the text of an earlier message into paragraphs.

        A short text is returned unchanged; so is a text if the times of its words are not available.
        """
        if len(text) <= CHARS:
            return text
        try:
            kept = await self.data_loader.fetch_recognition(transcription_id)
        except ServiceError:
            return text
        return text if kept is None else in_paragraphs(kept.recognition.hypothesis, text)
