"""Presses of buttons: read with their signature, answered with a few words."""

import time
from typing import Any

from aiogram import Bot, Router
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, InaccessibleMessage, Message

from glas.domain.errors import InvalidParameterError
from glas.tg_bot.api.telegram import PersonGoneError, said
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import ForgedButtonError, Signer

_TOAST_CHARS = 200


class Pressed(Filter):
    """A press of one kind of button, signed by us and in time; the handler gets its `values`."""

    def __init__(self, action: str) -> None:
        self._action = action

    async def __call__(self, query: CallbackQuery, signer: Signer) -> bool | dict[str, Any]:
        """Whether it is."""
        try:
            action, values = signer.read(query.data or "", now_s=time.time())
        except InvalidParameterError:
            return False
        return {"values": values} if action == self._action else False


async def toast(bot: Bot, query: CallbackQuery, text: str = "", *, is_alert: bool = False) -> None:
    """Answer a press; where it is too late for that, write to the person instead."""
    try:
        await said(lambda: bot.answer_callback_query(query.id, text[:_TOAST_CHARS] or None, show_alert=is_alert))
    except InvalidParameterError:
        message = query.message
        if text and message is not None and message.chat.type == "private":
            await said(lambda: bot.send_message(message.chat.id, text))
    except PersonGoneError:
        return


def message_of(query: CallbackQuery) -> Message | None:
    """The message under which the button stands; None where Telegram does not show it any more."""
    return None if isinstance(query.message, InaccessibleMessage) else query.message


def make_last_router() -> Router:
    """What is left when nobody knew a press."""
    router = Router()
    router.callback_query.register(on_unknown)
    return router


async def on_unknown(query: CallbackQuery, bot: Bot, signer: Signer, say: Say) -> None:
    """Refuse a press that is forged or too late."""
    try:
        signer.read(query.data or "", now_s=time.time())
        text = say("rate-stale")
    except ForgedButtonError:
        text = say("rate-forged")
    except InvalidParameterError:
        text = say("rate-stale")
    await toast(bot, query, text, is_alert=True)
