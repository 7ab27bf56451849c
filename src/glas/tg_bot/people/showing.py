"""Update messages in Telegram whose texts were corrected on the web pages.

db_assist stores which texts were corrected on the web pages. The bot requests these texts at intervals, and enqueues
the same job as after a correction in Telegram.
"""

import asyncio

import structlog
from aiogram import Bot

from glas.clients.correction_bodies import TextToShow
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import GlasError
from glas.durable import Durable
from glas.tg_bot.api.telegram import said
from glas.tg_bot.voices.jobs import AmendJob

LOOK_S = 2.0

_log = structlog.stdlib.get_logger("glas.tg_bot")


async def keep_showing(bot: Bot, db_assist: DbAssistClient, durable: Durable) -> None:
    """Call `take_up` at intervals, until the task is cancelled."""
    while True:
        try:
            await take_up(bot, db_assist, durable)
        except GlasError as error:
            _log.warning("corrected texts could not be requested", code=error.code, error=error.message)
        except Exception:  # noqa: BLE001 - logged; a bug met once must not end all later looks
            _log.exception("corrected texts could not be requested")
        await asyncio.sleep(LOOK_S)


async def take_up(bot: Bot, db_assist: DbAssistClient, durable: Durable) -> None:
    """Request corrected texts from db_assist, and enqueue jobs that update the messages with these texts.

    The name of a job is computed from its correction, so each correction is shown only once.
    """
    for one in await db_assist.texts_to_show(bot.id):
        job = AmendJob(
            transcription_id=one.transcription_id,
            change_id=one.change_id,
            person=one.tg_id,
            name=await _name_of(one, bot),
            locale=one.locale,
        )
        await durable.enqueue(job.work())
        await db_assist.text_taken_up(one.transcription_id, one.change_id)


async def _name_of(one: TextToShow, bot: Bot) -> str:
    """Return the speaker's name, which the bot writes before a text in group chats; return '' if there is no name.

    This is the name of the person who sent the recording. If the recording was forwarded, the name of its first sender
    is not known any more, because names are not stored.
    """
    if one.chat_id == one.tg_id:
        return ""
    try:
        member = await said(lambda: bot.get_chat_member(one.chat_id, one.tg_id))
    except GlasError:
        return ""
    return str(member.user.full_name)
