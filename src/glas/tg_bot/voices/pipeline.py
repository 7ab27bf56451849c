"""The way of a voice message: placeholder, recognise, deliver; then, apart from it, archive.

Each step is recorded. A crash repeats at most the step that was under way, and each of them bears that: the placeholder
may come twice at worst (Telegram knows no idempotency key), rows have natural keys, and the text arrives by an edit.
Writes that bear repetition share a step with what needs them: a record costs a write to the disk of its own.
The audio is archived after the answer, in work of its own: an object store that is away delays nobody's text.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from aiogram.types import InlineKeyboardMarkup, ReplyParameters
from pydantic import BaseModel, ConfigDict

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.domain.errors import GlasError
from glas.durable import Durable
from glas.tg_bot.api.limiter import Urgency, urgency
from glas.tg_bot.api.telegram import MessageGoneError, PersonGoneError, edit_text, said
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.languages import language_name
from glas.tg_bot.talk.phrases import Phrases, Say
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.talk.texts import as_document, is_long, opening
from glas.tg_bot.voices.admission import Admission, Doorkeeper
from glas.tg_bot.voices.hearing import Heard, Hearing
from glas.tg_bot.voices.jobs import ArchiveJob, VoiceJob
from glas.tg_bot.voices.steps import Steps

_log = structlog.stdlib.get_logger("glas.tg_bot")


class _Answer(BaseModel):
    """Where the answer goes, and in which words."""

    model_config = ConfigDict(frozen=True)

    job: VoiceJob
    admission: Admission
    message_id: int
    chat_id: int

    def chat_if_another(self, chat_id: int) -> int | None:
        """The chat, where it is not that of the recording."""
        return chat_id if chat_id != self.job.chat_id else None


class _Opened(BaseModel):
    """What the first step gave; no message where nothing is answered."""

    model_config = ConfigDict(frozen=True)

    admission: Admission
    message_id: int | None
    chat_id: int | None = None  # another one than the job's where a group became a supergroup meanwhile


class _Recognised(BaseModel):
    """What the second step gave; no row where nothing is kept."""

    model_config = ConfigDict(frozen=True)

    transcription_id: int | None
    heard: Heard


@dataclass(frozen=True)
class Pipeline:
    """What answering needs; nothing of it is opened here."""

    bot: Bot
    durable: Durable
    steps: Steps
    doorkeeper: Doorkeeper
    hearing: Hearing
    db_assist: DbAssistClient
    phrases: Phrases
    keyboards: Keyboards

    async def hear(self, arguments: dict[str, Any]) -> None:
        """Answer one recording: the workflow."""
        job = VoiceJob.model_validate(arguments)
        try:
            opened = _Opened.model_validate(await self.steps.do("placeholder", lambda: self._open(job)))
        except PersonGoneError:
            return
        if opened.message_id is None or opened.admission.refusal is not None:
            return
        where = opened.chat_id or job.chat_id
        answer = _Answer(job=job, admission=opened.admission, message_id=opened.message_id, chat_id=where)
        say = self.phrases[answer.admission.locale]
        try:
            await self._answer(answer, say)
        except GlasError as error:
            await self._confess(answer, error, say)

    async def _answer(self, answer: _Answer, say: Say) -> None:
        job = answer.job
        ticket = self.hearing.ticket(job)

        async def recognise() -> dict[str, Any]:
            transcription_id = await self._record(answer) if answer.admission.is_kept else None
            heard = await self.hearing.hear(job, ticket)
            return _Recognised(transcription_id=transcription_id, heard=heard).model_dump(mode="json")

        async with self.hearing.shown(answer.chat_id, answer.message_id, ticket, say):
            found = await self.steps.do("recognise", recognise, on_pause=ticket.pause)
        recognised = _Recognised.model_validate(found)
        try:
            if is_long(recognised.heard.text):
                await self.steps.do("document", lambda: self._send_document(job, recognised.heard, say))
            await self.steps.do("deliver", lambda: self._deliver(answer, recognised, say))
        except PersonGoneError:
            _log.info("nobody is there to read the answer", chat=job.chat_id)
        if recognised.transcription_id is not None:
            kept = ArchiveJob(
                transcription_id=recognised.transcription_id,
                person=job.person,
                file_id=job.recording.file_id,
                file_unique_id=job.recording.file_unique_id,
                text=recognised.heard.text,
            )
            await self.durable.enqueue(kept.work())

    async def _open(self, job: VoiceJob) -> dict[str, Any]:
        """Decide about a recording, and send the first message if it is answered at all."""
        admission = await self.doorkeeper.admit(job)
        opened = _Opened(admission=admission, message_id=None)
        if admission.is_answered:
            chat_id, message_id = await self._place(job, admission)
            opened = _Opened(admission=admission, message_id=message_id, chat_id=chat_id)
        return opened.model_dump(mode="json")

    async def _place(self, job: VoiceJob, admission: Admission) -> tuple[int, int]:
        """Send the message that will become the answer, or the refusal; returns its chat and id."""
        say = self.phrases[admission.locale]
        text = say("placeholder") if admission.refusal is None else say(admission.refusal, **admission.values)
        keyboard = None
        if admission.may_ask_again:
            keyboard = self.keyboards.retry(job.attempt + 1, born_s=job.date_s, say=say)
        if job.answer_message_id is not None:
            try:
                await edit_text(self.bot, job.chat_id, job.answer_message_id, text, keyboard)
            except MessageGoneError:
                pass
            else:
                return job.chat_id, job.answer_message_id
        return await self._reply(job, text, keyboard)

    async def _reply(self, job: VoiceJob, text: str, keyboard: InlineKeyboardMarkup | None = None) -> tuple[int, int]:
        to = ReplyParameters(message_id=job.message_id, allow_sending_without_reply=True)
        sent = await said(lambda: self.bot.send_message(job.chat_id, text, reply_parameters=to, reply_markup=keyboard))
        return sent.chat.id, sent.message_id

    async def _record(self, answer: _Answer) -> int:
        job, recording = answer.job, answer.job.recording
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
        return (await self.db_assist.create_transcription(new)).id

    async def _send_document(self, job: VoiceJob, heard: Heard, say: Say) -> int:
        to = ReplyParameters(message_id=job.message_id, allow_sending_without_reply=True)
        document = as_document(heard.text, say("file-name"))
        with urgency(Urgency.FINAL):
            sent = await said(lambda: self.bot.send_document(job.chat_id, document, reply_parameters=to))
        return sent.message_id

    async def _deliver(self, answer: _Answer, recognised: _Recognised, say: Say) -> None:
        """Finish the row, and let the placeholder say the text; if it was deleted, say it anew."""
        job, heard, transcription_id = answer.job, recognised.heard, recognised.transcription_id
        if transcription_id is not None:
            await self.db_assist.finish(transcription_id, Finished(**heard.model_dump(exclude={"foreign"})))
        keyboard = None
        text = say("long-text", start=opening(heard.text)) if is_long(heard.text) else heard.text
        if heard.foreign is not None:
            text = f"{text}\n\n{say('foreign', language=language_name(heard.foreign, answer.admission.locale))}"
        elif heard.is_unsure:
            text = f"{text}\n\n{say('unsure')}"
        if not heard.text:
            text = say("no-speech")
        elif transcription_id is not None:
            keyboard = self.keyboards.rating(transcription_id, born_s=job.date_s, say=say)
        elif job.is_private:
            text = f"{text}\n\n{say('press-start')}"
        if not job.is_private:
            text = f"{job.person_name}: {text}"
        with urgency(Urgency.FINAL):
            try:
                await edit_text(self.bot, answer.chat_id, answer.message_id, text, keyboard)
            except MessageGoneError:
                chat_id, message_id = await self._reply(job, text, keyboard)
                if transcription_id is not None:
                    another = answer.chat_if_another(chat_id)
                    await self.db_assist.set_answer(transcription_id, message_id, chat_id=another)

    async def _confess(self, answer: _Answer, error: GlasError, say: Say) -> None:
        """Say why there is no text, and offer another attempt."""
        job = answer.job
        _log.warning("a recording was not recognised", code=error.code, error=error.message, work=job.id)

        async def tell() -> None:
            text = say("failed", reason=reason(error, answer.admission.locale))
            keyboard = self.keyboards.retry(job.attempt + 1, born_s=job.date_s, say=say)
            with urgency(Urgency.FINAL):
                try:
                    await edit_text(self.bot, answer.chat_id, answer.message_id, text, keyboard)
                except MessageGoneError:
                    await self._reply(job, text, keyboard)

        async def note() -> None:
            await self.db_assist.fail(await self._record(answer), error.code)

        try:
            await self.steps.do("confess", tell)
            if answer.admission.is_kept:
                await self.steps.do("fail", note)
        except GlasError as second:
            _log.error("the failure could not be told or noted", code=second.code, work=job.id)
