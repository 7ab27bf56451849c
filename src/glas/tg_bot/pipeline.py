"""The way of a voice message: admit, placeholder, row, recognise, deliver; then, apart from it, archive.

Each step is recorded. A crash repeats at most the step that was under way, and each of them bears that: the placeholder
may come twice at worst (Telegram knows no idempotency key), rows have natural keys, and the text arrives by an edit.
The audio is archived after the answer, in work of its own: an object store that is away delays nobody's text.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from aiogram.types import InlineKeyboardMarkup, ReplyParameters
from pydantic import BaseModel, ConfigDict

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.domain.errors import GlasError, NotFoundError
from glas.durable import Durable
from glas.tg_bot.admission import Admission, Doorkeeper
from glas.tg_bot.desk import Shelf
from glas.tg_bot.hearing import Heard, Hearing
from glas.tg_bot.jobs import ArchiveJob, VoiceJob
from glas.tg_bot.keyboards import Keyboards
from glas.tg_bot.limiter import Urgency, urgency
from glas.tg_bot.phrases import Phrases, Say
from glas.tg_bot.reasons import reason
from glas.tg_bot.steps import Steps
from glas.tg_bot.telegram import MessageGoneError, PersonGoneError, edit_text, said
from glas.tg_bot.texts import as_document, is_long, opening

_log = structlog.stdlib.get_logger("glas.tg_bot")


class _Answer(BaseModel):
    """Where the answer goes, and in which words."""

    model_config = ConfigDict(frozen=True)

    job: VoiceJob
    admission: Admission
    message_id: int
    transcription_id: int | None = None


@dataclass(frozen=True)
class Pipeline:
    """What answering needs; nothing of it is opened here."""

    bot: Bot
    durable: Durable
    steps: Steps
    doorkeeper: Doorkeeper
    hearing: Hearing
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    shelf: Shelf
    phrases: Phrases
    keyboards: Keyboards

    async def hear(self, arguments: dict[str, Any]) -> None:
        """Answer one recording: the workflow."""
        job = VoiceJob.model_validate(arguments)
        admission = Admission.model_validate(await self.steps.do("admit", lambda: self._admit(job)))
        if not admission.is_answered:
            return
        say = self.phrases[admission.locale]
        try:
            message_id = await self.steps.do("placeholder", lambda: self._place(job, admission, say))
        except PersonGoneError:
            return
        if admission.refusal is not None:
            return
        answer = _Answer(job=job, admission=admission, message_id=message_id)
        try:
            await self._answer(answer, say)
        except PersonGoneError:
            _log.info("nobody is there to read the answer", chat=job.chat_id)
        except GlasError as error:
            await self._confess(answer, error, say)

    async def _answer(self, answer: _Answer, say: Say) -> None:
        job = answer.job
        if answer.admission.is_kept:
            transcription_id = await self.steps.do("row", lambda: self._record(answer))
            answer = answer.model_copy(update={"transcription_id": transcription_id})
        ticket = self.hearing.ticket()

        async def recognise() -> dict[str, Any]:
            return (await self.hearing.hear(job, ticket)).model_dump(mode="json")

        async with self.hearing.shown(job, answer.message_id, ticket, say):
            found = await self.steps.do("recognise", recognise, on_pause=ticket.pause)
        heard = Heard.model_validate(found)
        await self.steps.do("finish", lambda: self._finish(answer, heard))
        if is_long(heard.text):
            await self.steps.do("document", lambda: self._send_document(answer, heard, say))
        await self.steps.do("deliver", lambda: self._deliver(answer, heard, say))
        if answer.transcription_id is not None:
            recording = job.recording
            kept = ArchiveJob(
                transcription_id=answer.transcription_id,
                person=job.person,
                file_id=recording.file_id,
                file_unique_id=recording.file_unique_id,
                text=heard.text,
            )
            await self.durable.enqueue(kept.work())

    async def keep(self, arguments: dict[str, Any]) -> None:
        """Archive one recording: the workflow."""
        job = ArchiveJob.model_validate(arguments)
        try:
            await self.steps.do("archive", lambda: self._archive(job))
        except NotFoundError:
            # The person asked to be forgotten meanwhile; what was just stored must go as well.
            await self.steps.do("unarchive", lambda: self.data_loader.delete(job.transcription_id))
        except GlasError as error:
            _log.error("a recording was not archived", transcription=job.transcription_id, code=error.code)

    async def _admit(self, job: VoiceJob) -> dict[str, Any]:
        return (await self.doorkeeper.admit(job)).model_dump(mode="json")

    async def _place(self, job: VoiceJob, admission: Admission, say: Say) -> int:
        """Send the message that will become the answer, or the refusal; returns its id."""
        text = say("placeholder") if admission.refusal is None else say(admission.refusal, **admission.values)
        if job.answer_message_id is not None:
            try:
                await edit_text(self.bot, job.chat_id, job.answer_message_id, text)
            except MessageGoneError:
                pass
            else:
                return job.answer_message_id
        return await self._reply(job, text)

    async def _reply(self, job: VoiceJob, text: str, keyboard: InlineKeyboardMarkup | None = None) -> int:
        to = ReplyParameters(message_id=job.message_id, allow_sending_without_reply=True)
        sent = await said(lambda: self.bot.send_message(job.chat_id, text, reply_parameters=to, reply_markup=keyboard))
        return sent.message_id

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
        )
        row = await self.db_assist.create_transcription(new)
        await self.db_assist.set_answer(row.id, answer.message_id)
        return row.id

    async def _finish(self, answer: _Answer, heard: Heard) -> None:
        if answer.transcription_id is None:
            return
        finished = Finished(
            text=heard.text, duration_s=heard.duration_s, confidence=heard.confidence, model=heard.model
        )
        await self.db_assist.finish(answer.transcription_id, finished)

    async def _send_document(self, answer: _Answer, heard: Heard, say: Say) -> int:
        job = answer.job
        to = ReplyParameters(message_id=job.message_id, allow_sending_without_reply=True)
        document = as_document(heard.text, say("file-name"))
        with urgency(Urgency.FINAL):
            sent = await said(lambda: self.bot.send_document(job.chat_id, document, reply_parameters=to))
        return sent.message_id

    async def _deliver(self, answer: _Answer, heard: Heard, say: Say) -> None:
        """Let the placeholder say the text; if it was deleted, say it anew."""
        job, keyboard = answer.job, None
        text = say("long-text", start=opening(heard.text)) if is_long(heard.text) else heard.text
        if not heard.text:
            text = say("no-speech")
        elif answer.transcription_id is not None:
            keyboard = self.keyboards.rating(answer.transcription_id, born_s=job.date_s, say=say)
        elif job.is_private:
            text = f"{text}\n\n{say('press-start')}"
        if not job.is_private:
            text = f"{job.person_name}: {text}"
        with urgency(Urgency.FINAL):
            try:
                await edit_text(self.bot, job.chat_id, answer.message_id, text, keyboard)
            except MessageGoneError:
                message_id = await self._reply(job, text, keyboard)
                if answer.transcription_id is not None:
                    await self.db_assist.set_answer(answer.transcription_id, message_id)

    async def _confess(self, answer: _Answer, error: GlasError, say: Say) -> None:
        """Say why there is no text, and offer another attempt."""
        job = answer.job
        _log.warning("a recording was not recognised", code=error.code, error=error.message, work=job.id)

        async def tell() -> None:
            if answer.transcription_id is not None:
                await self.db_assist.fail(answer.transcription_id, error.code)
            text = say("failed", reason=reason(error, answer.admission.locale))
            keyboard = self.keyboards.retry(job.attempt + 1, born_s=job.date_s, say=say)
            with urgency(Urgency.FINAL):
                await edit_text(self.bot, job.chat_id, answer.message_id, text, keyboard)

        try:
            await self.steps.do("confess", tell)
        except GlasError as second:
            _log.error("the failure could not be told either", code=second.code, work=job.id)

    async def _archive(self, job: ArchiveJob) -> None:
        data = self.shelf.get(job.file_unique_id)
        if data is None:
            data = await self.hearing.fetch(job.file_id)
        stored = await self.data_loader.store_audio(job.transcription_id, data)
        await self.db_assist.archive(
            job.transcription_id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes
        )
        await self.data_loader.store_transcription(job.transcription_id, job.text)
        self.shelf.take(job.file_unique_id)
