"""Answer /privacy, /mydata and /forget: explain, send or delete the data that is stored about a person."""

import asyncio
import secrets

import structlog
from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import BufferedInputFile, CallbackQuery, Message

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.erasure import erase_person
from glas.clients.packing import packed
from glas.domain.errors import GlasError
from glas.domain.people import SHARED_ACCOUNTS, User
from glas.durable import Durable, Retry, with_retries
from glas.tg_bot.api.errors import RetryRule
from glas.tg_bot.api.telegram import edit_text, sent
from glas.tg_bot.talk.keyboards import FORGET, Keyboards
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.voices.jobs import CleanJob
from glas.tg_bot.voices.pseudonyms import Pseudonyms

_UPLOAD_S = 600
_PATIENCE_S = 600.0
_ASK_AGAIN_S = 30.0

_log = structlog.stdlib.get_logger("glas.tg_bot")


def make_router() -> Router:
    """Make the router that receives /privacy, /mydata and /forget, and presses of their buttons."""
    router = Router()
    router.message.register(on_privacy, Command("privacy"))
    router.message.register(on_mydata, Command("mydata"))
    router.message.register(on_forget, Command("forget"))
    router.callback_query.register(on_forget_chosen, Pressed(FORGET))
    return router


async def on_privacy(message: Message, *, say: Say) -> None:
    """Send an explanation of which data is stored and why."""
    await message.answer(say("privacy") + "\n\n" + say("privacy-words"))


async def on_mydata(
    message: Message,
    *,
    user: User | None,
    bot: Bot,
    db_assist: DbAssistClient,
    data_loader: DataLoaderClient,
    pseudonyms: Pseudonyms,
    say: Say,
) -> None:
    """Send all data that is stored about a person, as one file or in several parts; works only in private chats."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    data = await db_assist.export_user(user.tg_id, party=pseudonyms.party(user.tg_id))
    number = 0
    async for part in packed(data, data_loader):
        number += 1
        is_only = number == 1 and part.is_last
        caption = "mydata-caption" if is_only else "mydata-last-part" if part.is_last else "mydata-part"
        file = BufferedInputFile(part.content, "glas.zip" if is_only else f"glas-{number}.zip")
        await _send(bot, user.tg_id, file, say(caption, number=number))


async def _send(bot: Bot, chat_id: int, file: BufferedInputFile, caption: str) -> None:
    """Send one part of the data; if Telegram is unavailable, repeat only the sending of this part."""
    patience = RetryRule()
    await with_retries(
        lambda: sent(lambda: bot.send_document(chat_id, file, caption=caption, request_timeout=_UPLOAD_S)),
        Retry(patience_s=_PATIENCE_S),
        name="personal data",
        pause_s=patience.pause_s,
    )


async def on_forget(message: Message, *, user: User | None, keyboards: Keyboards, say: Say) -> None:
    """Ask a person to confirm that all their data should be deleted."""
    if user is None:
        await message.answer(say("not-registered"))
        return
    keyboard = keyboards.forget(asker=user.tg_id, born_s=int(message.date.timestamp()), say=say)
    await message.answer(say("forget-ask"), reply_markup=keyboard)


async def on_forget_chosen(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    db_assist: DbAssistClient,
    data_loader: DataLoaderClient,
    durable: Durable,
    say: Say,
) -> CleanJob | None:
    """Delete a person's data if the person has confirmed the deletion.

    Objects in the object store, rows of the database, and the records of the durable engine are deleted immediately.
    The returned job removes the data from the export.
    """
    message, person = message_of(query), query.from_user.id
    await toast(bot, query)
    text, job = say("forget-kept"), None
    if values[0]:
        count = await forget(person, db_assist, data_loader, durable)
        text = say("forgotten", count=count)
        job = CleanJob(cleaned_by=secrets.token_hex(8))
    if message is not None:
        await edit_text(bot, message.chat.id, message.message_id, text)
    return job


async def forget(person: int, db_assist: DbAssistClient, data_loader: DataLoaderClient, durable: Durable) -> int:
    """Delete a person's objects in the object store, rows in the database, and records of the durable engine.

    The caller must enqueue a `CleanJob`, which removes the data from the export.

    Returns:
        The number of deleted recordings.
    """
    count = await erase_person(person, db_assist, data_loader)
    await durable.forget(str(person))
    await db_assist.work_forgotten(person)
    return count


async def forget_shared_accounts(
    db_assist: DbAssistClient, data_loader: DataLoaderClient, durable: Durable
) -> CleanJob | None:
    """Delete data that earlier versions of Glas stored for shared accounts, see `glas.tg_bot.api.senders`."""
    counts = [await forget(account, db_assist, data_loader, durable) for account in sorted(SHARED_ACCOUNTS)]
    if not any(counts):
        return None
    _log.warning("recordings of anonymous senders, which earlier versions kept, are deleted", count=sum(counts))
    return CleanJob(cleaned_by=secrets.token_hex(8))


async def keep_forgetting(db_assist: DbAssistClient, durable: Durable) -> None:
    """Call `forget_work` at intervals, until the task is cancelled."""
    while True:
        try:
            await forget_work(db_assist, durable)
        except GlasError as error:
            problem = "the people whose work must be deleted could not be requested"
            _log.warning(problem, code=error.code, error=error.message)
        await asyncio.sleep(_ASK_AGAIN_S)


async def forget_work(db_assist: DbAssistClient, durable: Durable) -> None:
    """Complete the deletion of people's data if the deletion began outside the bot, for example on the web pages.

    The records of the durable engine about these people are deleted. A `CleanJob` is enqueued, which removes their
    messages from the export.
    """
    found = await db_assist.work_to_forget()
    for person in found.people:
        await durable.forget(str(person))
        await durable.enqueue(CleanJob(cleaned_by=secrets.token_hex(8)).work())
        await db_assist.work_forgotten(person)
