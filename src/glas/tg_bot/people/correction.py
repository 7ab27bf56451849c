"""Corrections: a reply to a text with the right words. What changed is shown word by word."""

import difflib
import re

from aiogram import Bot, F, Router
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message
from aiogram.utils.formatting import Bold, Strikethrough, Text

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConflictError, ForbiddenError, ImplausibleCorrectionError, NotFoundError
from glas.domain.explain import explain
from glas.domain.people import Locale
from glas.tg_bot.people.rating import congratulate
from glas.tg_bot.talk.keyboards import FIX
from glas.tg_bot.talk.phrases import Say, coins
from glas.tg_bot.talk.presses import Pressed, toast
from glas.tg_bot.talk.texts import is_too_long

_WORDS = re.compile(r"\S+")


class RepliesToUs(Filter):
    """A written reply to a message of the bot."""

    async def __call__(self, message: Message, bot: Bot) -> bool:
        """Whether it is."""
        replied = message.reply_to_message
        is_ours = bool(replied and replied.from_user and replied.from_user.id == bot.id)
        return is_ours and bool(message.text) and not (message.text or "").startswith("/")


def make_router() -> Router:
    """Corrections."""
    router = Router()
    router.callback_query.register(on_how, Pressed(FIX))
    router.message.register(on_reply, RepliesToUs(), F.text)
    return router


async def on_how(query: CallbackQuery, *, bot: Bot, say: Say) -> None:
    """Say how to correct."""
    await toast(bot, query, say("fix-how"), is_alert=True)


async def on_reply(message: Message, *, bot: Bot, db_assist: DbAssistClient, say: Say, locale: Locale) -> None:
    """Take a correction."""
    if message.reply_to_message is None or message.from_user is None or message.text is None:
        return
    try:
        row = await db_assist.by_message(bot.id, message.chat.id, message.reply_to_message.message_id)
    except NotFoundError:
        if message.chat.type == "private":
            await message.answer(say("text-hint"))
        return
    before = row.reference or row.text or ""
    if before.split() == message.text.split():
        await message.reply(say("fix-same"))
        return
    try:
        result = await db_assist.correct(row.id, message.from_user.id, message.text)
    except ForbiddenError:
        await message.reply(say("fix-foreign"))
        return
    except (ImplausibleCorrectionError, ConflictError) as error:
        await message.reply(explain(error) if locale is Locale.RU else error.message)
        return
    earned = ""
    if result.paid_hundredths and result.is_first:
        balance = coins(result.balance_hundredths, locale)
        earned = say("fixed-paid", coins=coins(result.paid_hundredths, locale), balance=balance)
    await message.reply(**_shown(before, message.text, say("fixed"), earned).as_kwargs())
    await congratulate(bot, message.from_user.id, result, say, locale)


def _shown(before: str, after: str, head: str, tail: str) -> Text:
    """The difference, word by word; too long a one is left out."""
    parts = [head, *([] if is_too_long(before + after) else ["\n\n", *word_diff(before, after)])]
    return Text(*parts, *(["\n\n", tail] if tail else []))


def word_diff(before: str, after: str) -> list[str | Text]:
    """Words that went are struck through, words that came are bold; case and punctuation count as words do."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    parts: list[str | Text] = []
    for what, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            parts += [" ".join(new[j1:j2]), " "]
            continue
        if i2 > i1:
            parts += [Strikethrough(" ".join(old[i1:i2])), " "]
        if j2 > j1:
            parts += [Bold(" ".join(new[j1:j2])), " "]
    return parts[:-1]
