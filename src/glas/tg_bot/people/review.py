"""Answer /review: a reviewer listens to one recording after another, and judges the text of each.

This module stores nothing, so a crash loses nothing. db_assist reserves one message for a reviewer, and returns the
same message until it is reviewed. If the bot asks for the right words, its request contains the id of the reviewed
message. After a crash, at most one Telegram message of the bot is sent twice.
"""

import time
from dataclasses import dataclass
from typing import Final

from aiogram import Bot, F, Router
from aiogram.filters import Command, Filter
from aiogram.types import BufferedInputFile, CallbackQuery, Message, ReplyParameters
from aiogram.utils.formatting import Code, Text

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.review_bodies import ReviewItem, ReviewResult
from glas.domain.errors import (
    ConflictError,
    ForbiddenError,
    ImplausibleCorrectionError,
    InvalidParameterError,
    NotFoundError,
)
from glas.domain.people import Locale, Role, User
from glas.domain.reviews import Verdict
from glas.tg_bot.api.senders import person_in
from glas.tg_bot.api.telegram import edit_keyboard, said
from glas.tg_bot.talk.keyboards import REVIEW, Keyboards
from glas.tg_bot.talk.phrases import Say, coins
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.talk.prompts import Prompt, Prompts, forced_reply

_GONE: Final = (ConflictError, NotFoundError, ForbiddenError)
_TRIES = 5


@dataclass(frozen=True)
class Reviewing:
    """Sends recordings to reviewers; the dispatcher passes this object to the handlers of reviews."""

    bot: Bot
    db_assist: DbAssistClient
    data_loader: DataLoaderClient
    keyboards: Keyboards
    prompts: Prompts

    async def show_next(self, reviewer: int, say: Say) -> None:
        """Send the next recording to a reviewer, with text and buttons; if no recording waits, tell the reviewer."""
        for _ in range(_TRIES):
            item = await self.db_assist.next_review(reviewer)
            if item is None:
                break
            if await self._send_recording(item, reviewer, say):
                return
            # Neither Telegram nor the object store has the recording.
            await self.db_assist.review(item.transcription_id, reviewer, Verdict.SKIP)
        await said(lambda: self.bot.send_message(reviewer, say("review-empty")))

    async def _send_recording(self, item: ReviewItem, reviewer: int, say: Say) -> bool:
        """Send the recording of a message to a reviewer; return whether the recording still exists and was sent."""
        if item.bot_id == self.bot.id:
            try:
                await self._send(item, item.file_id, reviewer, say)
            except InvalidParameterError:
                pass  # Telegram does not know the file any more
            else:
                return True
        if item.audio_key is None:
            return False
        try:
            data = await self.data_loader.fetch_audio(item.audio_key)
        except NotFoundError:
            return False
        await self._send(item, BufferedInputFile(data, "voice.ogg"), reviewer, say)
        return True

    async def _send(self, item: ReviewItem, voice: str | BufferedInputFile, reviewer: int, say: Say) -> None:
        keyboard = self.keyboards.review(item.transcription_id, asker=reviewer, born_s=int(time.time()), say=say)
        caption = Text(Code(item.text)).as_caption_kwargs()
        # Other people's voices can neither be forwarded nor saved.
        await said(lambda: self.bot.send_voice(reviewer, voice, **caption, reply_markup=keyboard, protect_content=True))


class AnswersReviewPrompt(Filter):
    """Filter that accepts a reply to a request for the right words, if the reviewer who was asked has replied.

    The filter passes the context of the request (see `glas.tg_bot.talk.prompts`) to the handler, as `prompt`.
    """

    async def __call__(self, message: Message, reviewing: Reviewing) -> bool | dict[str, Prompt]:
        """Return whether the reply passes the filter."""
        prompt, person = reviewing.prompts.read(message.reply_to_message), person_in(message)
        if prompt is None or person is None or person.id != prompt.asker:
            return False
        return {"prompt": prompt}


def make_router() -> Router:
    """Make the router that receives /review, verdicts and replies of reviewers.

    It must be before the router of `glas.tg_bot.people.correction`, which would accept the same replies.
    """
    router = Router()
    router.message.register(on_review, Command("review"), F.chat.type == "private")
    router.callback_query.register(on_verdict, Pressed(REVIEW))
    router.message.register(on_words, AnswersReviewPrompt(), F.text)
    return router


async def on_review(
    message: Message, *, user: User | None, admins: frozenset[int], reviewing: Reviewing, say: Say
) -> None:
    """Send the next recording for review; only reviewers and administrators may use /review."""
    # In a private chat, the chat's id is the person's.
    person = message.chat.id
    if user is None:
        await message.answer(say("not-registered"))
        return
    if person in admins and user.role is not Role.ADMIN:
        await reviewing.db_assist.set_role(person, Role.ADMIN)
    elif not may_review(user, admins):
        await message.answer(say("review-not-allowed"))
        return
    await reviewing.show_next(person, say)


def may_review(user: User | None, admins: frozenset[int]) -> bool:
    """Return whether a person is a reviewer or an administrator."""
    return user is not None and (user.is_reviewer or user.tg_id in admins)


async def on_verdict(
    query: CallbackQuery, *, values: tuple[int, ...], bot: Bot, reviewing: Reviewing, say: Say, locale: Locale
) -> None:
    """Store a reviewer's verdict and send the next recording.

    If the reviewer wants to correct the text, ask for the right words instead.
    """
    transcription_id, verdict, message = values[0], list(Verdict)[values[1]], message_of(query)
    if verdict is Verdict.CORRECT:
        await _ask(query, message, transcription_id, reviewing, say)
        return
    try:
        result = await reviewing.db_assist.review(transcription_id, query.from_user.id, verdict)
    except _GONE:
        await toast(bot, query, say("review-gone"), is_alert=True)
    else:
        await toast(bot, query, _thanks(result, say, locale))
        if message is not None:
            await edit_keyboard(bot, message.chat.id, message.message_id, None)
        await reviewing.show_next(query.from_user.id, say)


async def _ask(
    query: CallbackQuery, message: Message | None, transcription_id: int, reviewing: Reviewing, say: Say
) -> None:
    """Ask a reviewer for the right words; the request shows the recognised words, which the reviewer can copy."""
    if message is None:
        await toast(reviewing.bot, query, say("review-gone"), is_alert=True)
        return
    await toast(reviewing.bot, query)
    # The context of the request contains the id of the message whose buttons are removed after the answer.
    prompt = Prompt(transcription_id, query.from_user.id, str(message.message_id))
    request = reviewing.prompts.request(prompt, say("review-ask"), shown=message.caption or "").as_kwargs()
    to = ReplyParameters(message_id=message.message_id, allow_sending_without_reply=True)
    await message.answer(**request, reply_markup=forced_reply(say), reply_parameters=to)


async def on_words(message: Message, *, prompt: Prompt, reviewing: Reviewing, say: Say, locale: Locale) -> None:
    """Store the right words that a reviewer sent, and send the next recording."""
    words = message.text or ""
    try:
        result = await reviewing.db_assist.review(prompt.transcription_id, prompt.asker, Verdict.CORRECT, words)
    except ImplausibleCorrectionError:
        await message.reply(say("review-implausible"))
        return
    except _GONE:
        await message.reply(say("review-gone"))
        return
    await message.reply(_thanks(result, say, locale))
    if prompt.name.isdecimal():
        await edit_keyboard(reviewing.bot, message.chat.id, int(prompt.name), None)
    await reviewing.show_next(prompt.asker, say)


def _thanks(result: ReviewResult, say: Say, locale: Locale) -> str:
    if not result.paid_hundredths:
        return say("review-noted")
    balance = coins(result.balance_hundredths, locale)
    return say("review-paid", coins=coins(result.paid_hundredths, locale), balance=balance)
