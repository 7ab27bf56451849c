"""Answer a recording: send the placeholder, recognise, deliver the text. Archive the message later, as another work.

Each step is recorded. After a crash, at most the step that was running is repeated, and each step can be repeated
without harm. At worst, the placeholder is sent twice, because Telegram does not detect that a call is repeated. A row
is not created twice, because its key is computed from the Telegram message. The text is not sent twice, because it is
sent by editing the placeholder.

Each record of a step is a write to the disk. To save such writes, a change of the database that can be repeated without
harm is not a separate step, but a part of another step. The recording is archived after the answer, so an unavailable
object store delays no text.

In a group, most recordings are answered without a request. If nobody has requested the text, a recording without speech
gets no answer, and its placeholder is deleted.
"""

import time
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from pydantic import BaseModel, ConfigDict

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import NewTranscription
from glas.domain.errors import AudioError, AudioTooLongError, GlasError, NotFoundError, UploadTooLargeError
from glas.durable import Durable
from glas.tg_bot.api.errors import PersonGoneError
from glas.tg_bot.api.limiter import Urgency, urgency
from glas.tg_bot.api.telegram import delete_message
from glas.tg_bot.metrics import OK, Metrics
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.voices.delivery import Answer, Delivery, Recognised
from glas.tg_bot.voices.jobs import ArchiveJob, VoiceJob
from glas.tg_bot.voices.placeholders import Placeholders, asker
from glas.tg_bot.voices.recognising import RecordingRecogniser
from glas.tg_bot.voices.recognition_queue import Ticket
from glas.tg_bot.voices.steps import Steps

_UNUSABLE = (AudioError, UploadTooLargeError)

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Limits(BaseModel):
    """Size and duration of the largest permitted recording; the message about a refused recording contains them."""

    model_config = ConfigDict(frozen=True)

    file_mb: int
    minutes: int


@dataclass(frozen=True)
class Pipeline:
    """Answers recordings; the caller opens and closes the objects in the fields."""

    bot: Bot
    durable: Durable
    steps: Steps
    placeholders: Placeholders
    recogniser: RecordingRecogniser
    delivery: Delivery
    db_assist: DbAssistClient
    phrases: Phrases
    keyboards: Keyboards
    limits: Limits
    metrics: Metrics

    async def hear(self, arguments: dict[str, Any]) -> None:
        """Answer one recording; this function is the workflow of a `VoiceJob`."""
        job = VoiceJob.model_validate(arguments)
        outcome, transcription_id = await self._hear(job)
        # A recording that is requested later was sent long before.
        is_first = job.attempt == 1 and not job.is_asked
        seconds = time.time() - job.date_s if is_first else None
        self.metrics.answered(outcome, seconds)
        passed = None if seconds is None else round(seconds, 1)
        _log.info("a recording was handled", transcription=transcription_id, outcome=outcome, seconds=passed)

    async def _hear(self, job: VoiceJob) -> tuple[str, int | None]:
        """Answer one recording.

        Returns:
            The outcome for `Metrics.answered`; and the id of the recording's row, or None if there is no row.
        """
        try:
            opened = await self.placeholders.open(job)
        except PersonGoneError as error:
            return error.code, None
        if opened.refused is not None:
            return opened.refused, None
        where = opened.chat_id or job.chat_id
        answer = Answer(job=job, admission=opened.admission, message_id=opened.message_id, chat_id=where)
        say = self.phrases[answer.admission.locale]
        try:
            return OK, await self._answer(answer, say)
        except GlasError as error:
            return error.code, await self._tell_failure(answer, error, say)

    async def _answer(self, answer: Answer, say: Say) -> int | None:
        """Recognise a recording, send the text, and enqueue the archiving.

        Returns:
            The id of the recording's row; None if there is no row.
        """
        job = answer.job
        ticket = self.recogniser.ticket(job)

        async def recognise() -> dict[str, Any]:
            transcription_id = await self._record(answer) if answer.admission.is_kept else None
            heard = await self.recogniser.hear(job, ticket, transcription_id=transcription_id)
            if transcription_id is None:
                heard = heard.model_copy(update={"kept": None})
            return Recognised(transcription_id=transcription_id, heard=heard).model_dump(mode="json")

        async with self._shown(answer, ticket, say):
            found = await self.steps.run("recognise", recognise, on_pause=ticket.pause)
        recognised = Recognised.model_validate(found)
        try:
            if job.is_unasked_in_group and not recognised.heard.text:
                await self.steps.run("withdraw", lambda: self._withdraw(answer, recognised))
            else:
                await self.delivery.deliver(await self.placeholders.sent(answer), recognised, say)
        except PersonGoneError:
            _log.info(
                "the answer cannot be sent, because the person blocked the bot or the chat is gone",
                transcription=recognised.transcription_id,
            )
        if recognised.transcription_id is not None and job.person is not None:
            kept = ArchiveJob(
                transcription_id=recognised.transcription_id,
                person=job.person,
                file_id=job.recording.file_id,
                file_unique_id=job.recording.file_unique_id,
                text=recognised.heard.text,
                kept=recognised.heard.kept,
                same_as=recognised.heard.same_as,
            )
            await self.durable.enqueue(kept.work())
        return recognised.transcription_id

    def _shown(self, answer: Answer, ticket: Ticket, say: Say) -> AbstractAsyncContextManager[None]:
        """Show the progress in the placeholder while the context is open; do nothing if there is no placeholder."""
        if answer.message_id is None:
            return nullcontext()
        return self.recogniser.shown((answer.chat_id, answer.message_id), answer.job, ticket, say)

    async def _record(self, answer: Answer) -> int | None:
        """Create the row of a message, and return its id.

        Return None if no row may be created: the speaker is not known, or has deleted their data since the decision to
        answer the recording.
        """
        job, recording = answer.job, answer.job.recording
        if job.person is None:
            return None
        new = NewTranscription(
            tg_id=job.person,
            bot_id=job.bot_id,
            chat_id=job.chat_id,
            message_id=job.message_id,
            attempt=job.attempt,
            file_id=recording.file_id,
            file_unique_id=recording.file_unique_id,
            media_kind=recording.kind,
            is_forwarded=recording.is_forwarded,
            answer_message_id=answer.message_id,
            answer_chat_id=answer.chat_if_another(answer.chat_id),
        )
        try:
            return (await self.db_assist.create_transcription(new)).id
        except NotFoundError:
            return None

    async def _withdraw(self, answer: Answer, recognised: Recognised) -> None:
        """Complete the row of a recording without speech, and delete the placeholder."""
        await self.delivery.finish(answer, recognised)
        await self._take_back(answer)

    async def _take_back(self, answer: Answer) -> None:
        if answer.message_id is not None:
            await delete_message(self.bot, answer.chat_id, answer.message_id)

    async def _tell_failure(self, answer: Answer, error: GlasError, say: Say) -> int | None:
        """Send a message that explains why there is no text, and store the failure.

        The message has a button for another attempt, if another attempt may succeed.

        Send no message, and only delete the placeholder, if three conditions are met: the recording was sent to a
        group, nobody has requested its text, and the recording is too large or cannot be decoded.

        Returns:
            The id of the recording's row; None if there is no row, or if the explanation could not be sent.
        """
        job = answer.job
        _log.warning("a recording was not recognised", code=error.code, error=error.message)

        async def tell() -> None:
            if job.is_unasked_in_group and isinstance(error, _UNUSABLE):
                await self._take_back(answer)
                return
            text = say("failed", reason=self._reason(answer, error, say))
            keyboard = None
            if not isinstance(error, _UNUSABLE):
                keyboard = self.keyboards.retry(job.attempt + 1, asker=asker(job), born_s=job.date_s, say=say)
            with urgency(Urgency.FINAL):
                await self.delivery.say_in_place(answer, text, keyboard)

        async def note() -> int | None:
            transcription_id = await self._record(answer)
            if transcription_id is not None:
                await self.db_assist.fail(transcription_id, error.code)
            return transcription_id

        try:
            await self.steps.run("confess", tell)
            if answer.admission.is_kept:
                noted: int | None = await self.steps.run("fail", note)
                return noted
        except GlasError as second:
            _log.error("the failure could be neither sent nor stored", code=second.code)
        return None

    def _reason(self, answer: Answer, error: GlasError, say: Say) -> str:
        """Return a sentence that explains an error; if a limit was exceeded, the sentence contains the limit."""
        if isinstance(error, AudioTooLongError):
            return reason(error, answer.admission.locale, limit=self.limits.minutes)
        if isinstance(error, UploadTooLargeError):
            return say("file-too-big", limit=self.limits.file_mb)
        return reason(error, answer.admission.locale)
