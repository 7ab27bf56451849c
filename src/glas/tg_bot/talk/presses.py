"""Check presses of buttons (signature, age, person), and answer them with a short note."""

import time
from typing import Any

from aiogram import Bot, Router
from aiogram.enums import ChatMemberStatus
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, InaccessibleMessage, Message

from glas.domain.errors import InvalidParameterError
from glas.tg_bot.api.errors import PersonGoneError
from glas.tg_bot.api.telegram import said
from glas.tg_bot.talk.phrases import Say
from glas.tg_bot.talk.signing import ADMINISTRATORS, ForgedButtonError, Signer

_TOAST_CHARS = 200
_CHAT_ADMINISTRATORS = (ChatMemberStatus.CREATOR, ChatMemberStatus.ADMINISTRATOR)


class Pressed(Filter):
    """Filter that accepts valid presses of one kind of button.

    A press is valid if the signature is valid, if the button is not too old, and if the button was made for the person
    who pressed it.

    The filter passes the numbers in the data of the button to the handler, as `values`.
    """

    def __init__(self, action: str) -> None:
        self._action = action

    async def __call__(self, query: CallbackQuery, bot: Bot, signer: Signer) -> bool | dict[str, Any]:
        """Return whether the press passes the filter."""
        try:
            pressed = signer.read(query.data or "", now_s=time.time())
        except InvalidParameterError:
            return False
        if pressed.action != self._action or not await _may_press(query, bot, pressed.asker):
            return False
        return {"values": pressed.values}


async def _may_press(query: CallbackQuery, bot: Bot, asker: int) -> bool:
    """Return whether a button was made for the person who pressed it.

    If `asker` is `ADMINISTRATORS`, the button was made for every administrator of the chat.
    """
    if asker != ADMINISTRATORS:
        return query.from_user.id == asker
    message = query.message
    if message is None:
        return False
    if message.chat.type == "private":
        return True
    member = await said(lambda: bot.get_chat_member(message.chat.id, query.from_user.id))
    return member.status in _CHAT_ADMINISTRATORS


async def toast(bot: Bot, query: CallbackQuery, text: str = "", *, is_alert: bool = False) -> None:
    """Answer a press of a button with a short note, which Telegram shows for some seconds.

    Telegram accepts the answer only for a short time after the press. After this time, the note is sent as a message if
    the chat is private. In a group, nothing is sent.
    """
    try:
        await said(lambda: bot.answer_callback_query(query.id, text[:_TOAST_CHARS] or None, show_alert=is_alert))
    except InvalidParameterError:
        message = query.message
        if text and message is not None and message.chat.type == "private":
            await said(lambda: bot.send_message(message.chat.id, text))
    except PersonGoneError:
        return


def message_of(query: CallbackQuery) -> Message | None:
    """Return the message that contains the button; None if Telegram no longer provides it."""
    return None if isinstance(query.message, InaccessibleMessage) else query.message


def make_last_router() -> Router:
    """Make the router that receives presses that no other router accepts."""
    router = Router()
    router.callback_query.register(on_unknown)
    return router


async def on_unknown(query: CallbackQuery, bot: Bot, signer: Signer, say: Say) -> None:
    """Refuse a press if the signature is not valid, if the button is too old, or if it was made for another person."""
    try:
        pressed = signer.read(query.data or "", now_s=time.time())
        if pressed.asker == ADMINISTRATORS:
            text = say("chat-admins-only")
        elif pressed.asker != query.from_user.id:
            text = say("press-foreign")
        else:
            text = say("rate-stale")
    except ForgedButtonError:
        text = say("rate-forged")
    except InvalidParameterError:
        text = say("rate-stale")
    await toast(bot, query, text, is_alert=True)
