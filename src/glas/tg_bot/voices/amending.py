"""After a correction, write the new text into all Telegram messages, text files and subtitles with the old text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiogram import Bot
from aiogram.types import InputMediaDocument

from glas.clients.correction_bodies import AttachedMessage
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import GlasError, InvalidParameterError, NotFoundError
from glas.domain.messages import MessageKind, Transcription
from glas.tg_bot.api.errors import MessageGoneError, PersonGoneError, is_not_modified
from glas.tg_bot.api.telegram import delete_message, edit_text, said
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.phrases import Phrases
from glas.tg_bot.talk.texts import Part, as_document, lay_out
from glas.tg_bot.voices.jobs import AmendJob
from glas.tg_bot.voices.steps import Steps
from glas.tg_bot.voices.subtitles import Subtitling

_log = structlog.stdlib.get_logger("glas.tg_bot")


@dataclass(frozen=True)
class Amending:
    """Updates the messages that show a text; its fields contain the objects that it uses.

    An update writes the current words of the database into the messages. These words may be newer than the correction
    that caused the update. So in the end the messages agree with the database, even if updates are repeated or run in
    another order.
    """

    bot: Bot
    steps: Steps
    db_assist: DbAssistClient
    subtitling: Subtitling
    phrases: Phrases
    keyboards: Keyboards

    async def run(self, arguments: dict[str, Any]) -> None:
        """Update the messages that show one text; this function is the workflow of an `AmendJob`."""
        job = AmendJob.model_validate(arguments)
        try:
            await self.steps.run("texts", lambda: self._texts(job))
            await self.steps.run("subtitles", lambda: self._subtitles(job))
        except (NotFoundError, PersonGoneError):
            return  # the person's data was deleted meanwhile, or the chat cannot be reached
        except GlasError as error:
            _log.error("a correction is not shown", transcription=job.transcription_id, code=error.code)

    async def _texts(self, job: AmendJob) -> None:
        row, attached = await self._look(job)
        if row.answer_message_id is None or row.text is None:
            return
        say = self.phrases[job.locale]
        parts = [one for one in attached if one.kind is MessageKind.PART]
        files = [one for one in attached if one.kind is MessageKind.DOCUMENT]
        text = await self.subtitling.paragraphs(row)
        layout = lay_out(text, name=job.name, notes=[], say=say, may_send_documents=not parts)
        keyboard = self.keyboards.rating(
            row.id, asker=job.person, born_s=int(row.creation_datetime.timestamp()), say=say, score=row.score
        )
        try:
            first = layout.parts[0]
            await edit_text(self.bot, _chat(row), row.answer_message_id, first.text, keyboard, entities=first.entities)
        except MessageGoneError:
            return  # the person has deleted it; the changes were shown in another message
        await self._follow_parts(row, parts, layout.parts[1:])
        for one in files:
            await self._replace(row, one, text, say("file-name"))
        if layout.document is not None and not files:
            document = as_document(layout.document, say("file-name"))
            sent = await said(lambda: self.bot.send_document(_chat(row), document))
            await self.db_assist.attach(row.id, MessageKind.DOCUMENT, sent.chat.id, sent.message_id)

    async def _follow_parts(self, row: Transcription, old: Sequence[AttachedMessage], new: Sequence[Part]) -> None:
        """Update the second and all later messages that show a long text.

        If the new text needs more or fewer messages than the old text, messages are sent or deleted.
        """
        for one, part in zip(old, new, strict=False):
            try:
                await edit_text(self.bot, one.chat_id, one.message_id, part.text, entities=part.entities)
            except MessageGoneError:
                await self.db_assist.detach(row.id, one.chat_id, one.message_id)
        for one in old[len(new) :]:
            await delete_message(self.bot, one.chat_id, one.message_id)
            await self.db_assist.detach(row.id, one.chat_id, one.message_id)
        for part in new[len(old) :]:
            sent = await said(
                lambda part=part: self.bot.send_message(_chat(row), part.text, entities=list(part.entities) or None)  # type: ignore[misc]
            )
            await self.db_assist.attach(row.id, MessageKind.PART, sent.chat.id, sent.message_id)

    async def _subtitles(self, job: AmendJob) -> None:
        row, attached = await self._look(job)
        files = [one for one in attached if one.kind is MessageKind.SUBTITLES]
        if not files:
            return
        subtitles, say = await self.subtitling.subtitles(row, job.person), self.phrases[job.locale]
        for one in files:
            await self._replace(row, one, subtitles, say("subtitles-name"))

    async def _replace(self, row: Transcription, message: AttachedMessage, text: str, name: str) -> None:
        """Replace the file in a message by a file with the new text."""
        media = InputMediaDocument(media=as_document(text, name))
        try:
            await said(
                lambda: self.bot.edit_message_media(media, chat_id=message.chat_id, message_id=message.message_id)
            )
        except MessageGoneError:
            await self.db_assist.detach(row.id, message.chat_id, message.message_id)
        except InvalidParameterError as error:
            if not is_not_modified(error):
                raise

    async def _look(self, job: AmendJob) -> tuple[Transcription, Sequence[AttachedMessage]]:
        row = await self.db_assist.transcription(job.transcription_id)
        return row, await self.db_assist.attached(row.id)


def _chat(row: Transcription) -> int:
    """Return the id of the chat to which the answer was sent."""
    return row.answer_chat_id or row.chat_id
