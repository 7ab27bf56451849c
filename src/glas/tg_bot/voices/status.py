"""Write the status line of a recording: place in the queue, download, recognition, or an unavailable service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiogram import Bot

from glas.clients.events import PartialText
from glas.domain.errors import GlasError
from glas.tg_bot.api.limiter import NotNowError, Urgency, urgency
from glas.tg_bot.api.telegram import edit_text, said
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.voices.recognition_queue import Phase, Ticket

_INTERVAL_S = 2.5
# In a group, Telegram accepts 20 messages and edits a minute. Most of them must remain for texts.
_GROUP_INTERVAL_S = 15.0
# The status line shows this many characters from the end of the text so far, so that the message stays small.
_SHOWN_CHARS = 700
_MINUTE_S = 60


def status_text(ticket: Ticket, duration_s: float, say: Say) -> str:
    """Return the text of the status line for a recording.

    Args:
        ticket: represents the recording in the queue, and contains its state.
        duration_s: duration of the recording in seconds, as Telegram states it; 0 if it is not known.
        say: the catalogue in the reader's language.
    """
    match ticket.phase:
        case Phase.PAUSED:
            return say("waiting")
        case Phase.DOWNLOADING:
            return say("downloading")
        case Phase.QUEUED if ticket.place:
            return say("queued", place=ticket.place)
    return say("recognising") if ticket.partial is None else _progress(ticket.partial, duration_s, say)


def _progress(partial: PartialText, duration_s: float, say: Say) -> str:
    """Return a text about the progress of a recognition, with the last recognised words."""
    if duration_s > 0:
        head = say("recognising-percent", percent=min(99, int(100 * partial.done_s / duration_s)))
    else:
        seconds = int(partial.done_s)
        head = say("recognising-time", time=f"{seconds // _MINUTE_S}:{seconds % _MINUTE_S:02}")
    text = partial.text
    if len(text) > _SHOWN_CHARS:
        text = f"…{text[-_SHOWN_CHARS:].partition(' ')[2]}"
    return f"{head}\n\n{text}" if text else head


@asynccontextmanager
async def shown_status(bot: Bot, chat_id: int, message_id: int, text: Callable[[], str]) -> AsyncIterator[None]:
    """Update the status line while the context is open: at most every 2.5 s, in a group at most every 15 s.

    At the end of the context, a running call that edits the message is not cancelled, but finished. If this call were
    cancelled, it could nevertheless arrive at Telegram after the answer, and overwrite the answer.
    """
    done = asyncio.Event()
    task = asyncio.create_task(_keep_up_to_date(bot, chat_id, message_id, text, done))
    try:
        yield
    finally:
        done.set()
        await task


async def _keep_up_to_date(
    bot: Bot, chat_id: int, message_id: int, text: Callable[[], str], done: asyncio.Event
) -> None:
    shown, shown_s = "", float("-inf")
    least_s = _GROUP_INTERVAL_S if chat_id < 0 else _INTERVAL_S
    now_s = asyncio.get_running_loop().time
    with urgency(Urgency.STATUS):
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), _INTERVAL_S)
            if done.is_set():
                return
            # The status line is not essential: an error here must not stop the work.
            with suppress(NotNowError, GlasError):
                if (wanted := text()) != shown and now_s() - shown_s >= least_s:
                    await edit_text(bot, chat_id, message_id, wanted)
                    shown, shown_s = wanted, now_s()
                await said(lambda: bot.send_chat_action(chat_id, "typing"))
