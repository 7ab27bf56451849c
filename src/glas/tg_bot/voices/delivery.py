"""Send the recognised text: by editing the placeholder, as a file, or in several messages.

If Telegram refuses the text in one of these forms, the text is sent in another form.

The sending of each message is a separate recorded step, so after a crash at most one message is sent twice.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiogram import Bot
from aiogram.types import InlineKeyboardMarkup, Message, MessageEntity, ReplyParameters
from pydantic import BaseModel, ConfigDict

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished
from glas.domain.errors import InvalidParameterError, NotFoundError
from glas.domain.messages import MessageKind
from glas.tg_bot.api.errors import ChatForbidsError, MessageGoneError
from glas.tg_bot.api.limiter import Urgency, urgency
from glas.tg_bot.api.telegram import edit_text, sent
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.languages import language_name
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.texts import Part, as_document, lay_out, split
from glas.tg_bot.voices.admission import Admission
from glas.tg_bot.voices.jobs import VoiceJob
from glas.tg_bot.voices.pseudonyms import Pseudonyms
from glas.tg_bot.voices.recognising import Heard
from glas.tg_bot.voices.steps import Steps

_RESCUE_UNITS = 4000

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Answer(BaseModel):
    """Where the answer to a recording is sent, and in which language."""

    model_config = ConfigDict(frozen=True)

    job: VoiceJob
    admission: Admission
    message_id: int | None
    chat_id: int

    def chat_if_another(self, chat_id: int) -> int | None:
        """Return `chat_id` if it is another chat than that of the recording; otherwise return None."""
        return chat_id if chat_id != self.job.chat_id else None


class Recognised(BaseModel):
    """The result of a recognition, and the id of the message's row.

    The id is None if nothing is stored about the recording.
    """

    model_config = ConfigDict(frozen=True)

    transcription_id: int | None
    heard: Heard


@dataclass(frozen=True)
class Delivery:
    """Sends texts; its fields contain the objects that it uses."""

    bot: Bot
    steps: Steps
    db_assist: DbAssistClient
    keyboards: Keyboards
    pseudonyms: Pseudonyms

    async def deliver(self, answer: Answer, recognised: Recognised, say: Say) -> None:
        """Complete the row of the message, and send the text. Call this method only in a running work.

        Raises:
            PersonGoneError: the person blocked the bot, or the bot was removed from the chat.
            GlasError: the text could not be sent in any form.
        """
        try:
            await self._say(answer, recognised, say)
        except ChatForbidsError:
            # The bot was muted in the group meanwhile: try the speaker's private chat.
            if not answer.admission.is_kept or answer.job.person is None:
                raise
            await self._rescue(answer.job.person, recognised.heard.shown, reply_to=None)
        except InvalidParameterError as error:
            _log.error(
                "Telegram refused an answer; its text is sent without formatting", code=error.code, error=error.message
            )
            await self._rescue(answer.chat_id, recognised.heard.shown, reply_to=answer.job.message_id)

    async def _say(self, answer: Answer, recognised: Recognised, say: Say) -> None:
        job, heard = answer.job, recognised.heard
        text = heard.shown or say("no-speech")
        notes = self._notes(answer, recognised, say) if heard.text else []
        name = "" if job.is_private else job.person_name
        layout = lay_out(text, name=name, notes=notes, say=say)
        if layout.document is not None:
            is_sent = await self.steps.run("document", lambda: self._send_document(answer, recognised, say))
            if not is_sent:
                layout = lay_out(text, name=name, notes=notes, say=say, may_send_documents=False)
        first, *others = layout.parts
        await self.steps.run("deliver", lambda: self._edit(answer, recognised, first, say))
        for number, part in enumerate(others, start=2):
            await self.steps.run(f"part {number}", lambda part=part: self._send_part(answer, recognised, part))  # type: ignore[misc]

    def _notes(self, answer: Answer, recognised: Recognised, say: Say) -> Sequence[str]:
        """Return the notes that are shown below a text, such as a warning that the text may be wrong."""
        notes, heard = list[str](), recognised.heard
        if heard.foreign is not None:
            notes.append(say("foreign", language=language_name(heard.foreign, answer.admission.locale)))
        elif heard.is_unsure:
            notes.append(say("unsure"))
        if recognised.transcription_id is None and answer.job.is_private:
            notes.append(say("press-start"))
        return notes

    async def finish(self, answer: Answer, recognised: Recognised) -> int | None:
        """Store the result in the row of the message, and add the recording to the daily usage of its sender.

        Returns:
            The id of the row; None if nothing is stored, or if the person's data was deleted during the recognition.
        """
        job, heard = answer.job, recognised.heard
        usage = self.pseudonyms.record(self.pseudonyms.party(job.party), job.id, heard.duration_s)
        if recognised.transcription_id is not None:
            told = heard.model_dump(exclude={"paragraphs", "foreign", "kept", "same_as"})
            with contextlib.suppress(NotFoundError):
                return (await self.db_assist.finish(recognised.transcription_id, Finished(**told, usage=usage))).id
        await self.db_assist.count_usage(usage)
        return None

    async def _send_document(self, answer: Answer, recognised: Recognised, say: Say) -> int | None:
        """Send the text as a file, and return the id of the message; return None if the chat forbids files."""
        await self.finish(answer, recognised)
        document = as_document(recognised.heard.shown, say("file-name"))
        to = _reply_to(answer.job.message_id)
        try:
            with urgency(Urgency.FINAL):
                message = await sent(lambda: self.bot.send_document(answer.chat_id, document, reply_parameters=to))
        except ChatForbidsError:
            return None
        await self._attach(recognised, MessageKind.DOCUMENT, message)
        return message.message_id

    async def _attach(self, recognised: Recognised, kind: MessageKind, message: Message) -> None:
        """Record that a further message shows the text, so that a correction also updates this message."""
        if recognised.transcription_id is not None:
            with contextlib.suppress(NotFoundError):
                await self.db_assist.attach(recognised.transcription_id, kind, message.chat.id, message.message_id)

    async def _edit(self, answer: Answer, recognised: Recognised, part: Part, say: Say) -> None:
        """Replace the placeholder by the text; if the placeholder was deleted, send a new message."""
        job, keyboard = answer.job, None
        transcription_id = await self.finish(answer, recognised)
        if transcription_id is not None and job.person is not None and recognised.heard.text:
            keyboard = self.keyboards.rating(transcription_id, asker=job.person, born_s=job.date_s, say=say)
        with urgency(Urgency.FINAL):
            message = await self.say_in_place(answer, part.text, keyboard, part.entities)
        if message is not None and transcription_id is not None:
            another = answer.chat_if_another(message.chat.id)
            await self.db_assist.set_answer(transcription_id, message.message_id, chat_id=another)

    async def say_in_place(
        self,
        answer: Answer,
        text: str,
        keyboard: InlineKeyboardMarkup | None,
        entities: Sequence[MessageEntity] = (),
    ) -> Message | None:
        """Replace the text of the placeholder; if there is no placeholder, send a new message.

        Returns:
            None if the placeholder was edited. If the placeholder was deleted or never sent, the message that was sent
            instead.
        """
        if answer.message_id is not None:
            try:
                await edit_text(self.bot, answer.chat_id, answer.message_id, text, keyboard, entities=entities)
            except MessageGoneError:
                pass
            else:
                return None
        return await self.reply(answer.chat_id, answer.job.message_id, text, keyboard, entities)

    async def reply(
        self,
        chat_id: int,
        reply_to: int | None,
        text: str,
        keyboard: InlineKeyboardMarkup | None = None,
        entities: Sequence[MessageEntity] = (),
    ) -> Message:
        """Send a message in reply to another message; if the other message was deleted, send an ordinary message."""
        to = None if reply_to is None else _reply_to(reply_to)
        shown = list(entities) or None
        return await sent(
            lambda: self.bot.send_message(chat_id, text, reply_parameters=to, reply_markup=keyboard, entities=shown)
        )

    async def _send_part(self, answer: Answer, recognised: Recognised, part: Part) -> int:
        with urgency(Urgency.FINAL):
            message = await self.reply(answer.chat_id, answer.job.message_id, part.text, entities=part.entities)
        await self._attach(recognised, MessageKind.PART, message)
        return message.message_id

    async def _rescue(self, chat_id: int, text: str, *, reply_to: int | None) -> None:
        """Send a text as simple messages without name, notes and buttons, because Telegram refused the usual answer."""

        async def send(part: str) -> int:
            with urgency(Urgency.FINAL):
                return (await self.reply(chat_id, reply_to, part)).message_id

        for number, part in enumerate(split(text, _RESCUE_UNITS), start=1):
            await self.steps.run(f"rescue {number}", lambda part=part: send(part))  # type: ignore[misc]


def _reply_to(message_id: int) -> ReplyParameters:
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)
