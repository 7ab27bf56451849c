"""Handle /privacy, /mydata and /forget: explain, send or delete the data that is stored about a person."""

import asyncio
import io
import secrets
import zipfile
from pathlib import PurePosixPath

import structlog
from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import BufferedInputFile, CallbackQuery, Message

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import PersonalData
from glas.domain.errors import NotFoundError
from glas.domain.object_keys import recognition_key, transcription_key
from glas.domain.people import SHARED_ACCOUNTS, User
from glas.durable import Durable
from glas.tg_bot.api.telegram import edit_text
from glas.tg_bot.talk.keyboards import FORGET, Keyboards
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.presses import Pressed, message_of, toast
from glas.tg_bot.voices.jobs import CleanJob

_MAX_ZIP_BYTES = 45_000_000  # Telegram takes documents up to 50 MB from bots

_log = structlog.stdlib.get_logger("glas.tg_bot")


def make_router() -> Router:
    """Make the router of these commands."""
    router = Router()
    router.message.register(on_privacy, Command("privacy"))
    router.message.register(on_mydata, Command("mydata"))
    router.message.register(on_forget, Command("forget"))
    router.callback_query.register(on_forget_chosen, Pressed(FORGET))
    return router


async def on_privacy(message: Message, *, say: Say) -> None:
    """Explain which data is stored and why."""
    await message.answer(say("privacy") + "\n\n" + say("privacy-words"))


async def on_mydata(
    message: Message, *, user: User | None, db_assist: DbAssistClient, data_loader: DataLoaderClient, say: Say
) -> None:
    """Send all data about the person as one file; in private chats only."""
    if user is None or message.bot is None:
        await message.answer(say("not-registered"))
        return
    data = await db_assist.export_user(user.tg_id)
    archive, is_whole = await _zipped(data, data_loader)
    caption = say("mydata-caption") if is_whole else say("mydata-too-large", limit=_MAX_ZIP_BYTES // 1_000_000)
    await message.bot.send_document(user.tg_id, BufferedInputFile(archive, "glas.zip"), caption=caption)


async def _zipped(data: PersonalData, data_loader: DataLoaderClient) -> tuple[bytes, bool]:
    """Return all data as one zip archive, with as many recordings as fit."""
    files = {"data.json": data.model_dump_json(indent=2).encode()}
    total_bytes, is_whole = len(files["data.json"]), True
    for row in data.transcriptions:
        if row.text is not None:
            files[transcription_key(row.id)] = row.text.encode()
        if (recognition := await _recognition(row.id, data_loader)) is not None:
            files[recognition_key(row.id)] = recognition
            total_bytes += len(recognition)
        if row.audio_key is None:
            continue
        total_bytes += row.audio_size_bytes or 0
        if total_bytes > _MAX_ZIP_BYTES:
            is_whole = False
            continue
        try:
            files[f"{row.id}/{PurePosixPath(row.audio_key).name}"] = await data_loader.fetch_audio(row.audio_key)
        except NotFoundError:
            _log.warning("a recording is missing in the object store", transcription=row.id)
    return await asyncio.to_thread(_zip, files), is_whole


async def _recognition(transcription_id: int, data_loader: DataLoaderClient) -> bytes | None:
    """Words with their times, as they are stored; None where they are not."""
    try:
        return await data_loader.fetch_audio(recognition_key(transcription_id))
    except NotFoundError:
        return None


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


async def on_forget(message: Message, *, user: User | None, keyboards: Keyboards, say: Say) -> None:
    """Ask for a confirmation before the deletion."""
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
    """Delete a person's data: objects, rows, and the durable engine's records; the export follows."""
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
    """Delete a person's objects, rows and the durable engine's records; a `CleanJob` removes them from the export.

    Returns:
        How many recordings are gone.
    """
    await _delete_objects(person, db_assist, data_loader)
    gone = await db_assist.forget(person)
    await data_loader.delete_keys(gone.object_keys)
    for transcription_id in gone.transcription_ids:
        await data_loader.delete(transcription_id)
    await durable.forget(str(person))
    return len(gone.transcription_ids)


async def forget_shared_accounts(
    db_assist: DbAssistClient, data_loader: DataLoaderClient, durable: Durable
) -> CleanJob | None:
    """Delete what earlier versions stored under Telegram's shared accounts, which they mistook for persons."""
    counts = [await forget(account, db_assist, data_loader, durable) for account in sorted(SHARED_ACCOUNTS)]
    if not any(counts):
        return None
    _log.warning("recordings of anonymous senders, which earlier versions kept, are deleted", count=sum(counts))
    return CleanJob(cleaned_by=secrets.token_hex(8))


async def _delete_objects(person: int, db_assist: DbAssistClient, data_loader: DataLoaderClient) -> None:
    """Delete the objects before the rows: without rows, a crash would leave objects whose owner is unknown."""
    try:
        data = await db_assist.export_user(person)
    except NotFoundError:
        return
    for row in data.transcriptions:
        await data_loader.delete(row.id)
