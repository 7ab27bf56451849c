"""Status line for a person who waits: place in the queue, recognition in progress, service unavailable."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiogram import Bot

from glas.domain.errors import GlasError
from glas.tg_bot.api.limiter import NotNowError, Urgency, urgency
from glas.tg_bot.api.telegram import edit_text, said

_INTERVAL_S = 2.5


@asynccontextmanager
async def shown_status(bot: Bot, chat_id: int, message_id: int, text: Callable[[], str]) -> AsyncIterator[None]:
    """Keep the status line up to date within the context, at most once in 2.5 s.

    It waits for the last edit instead of cancelling it: a late edit could overwrite the answer.
    """
    done = asyncio.Event()
    task = asyncio.create_task(_show(bot, chat_id, message_id, text, done))
    try:
        yield
    finally:
        done.set()
        await task


async def _show(bot: Bot, chat_id: int, message_id: int, text: Callable[[], str], done: asyncio.Event) -> None:
    shown = ""
    with urgency(Urgency.STATUS):
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _INTERVAL_S)
            if done.is_set():
                return
            # The status line is not essential: an error here must not stop the work.
            with suppress(NotNowError, GlasError):
                if (wanted := text()) != shown:
                    await edit_text(bot, chat_id, message_id, wanted)
                    shown = wanted
                await said(lambda: bot.send_chat_action(chat_id, "typing"))
