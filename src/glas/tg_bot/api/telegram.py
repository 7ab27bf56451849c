"""Client of the Bot API: stays within Telegram's limits; raises errors of Glas, which never contain the bot's token.

Exceptions of the HTTP client contain URLs, and Telegram's URLs contain the token. So the exceptions of the HTTP client
are converted into errors of Glas without URLs.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.methods import AnswerCallbackQuery, EditMessageText, GetFile, GetUpdates, SendChatAction, SendMessage
from aiogram.methods.base import Response
from aiogram.types import Chat, InlineKeyboardMarkup, Message, MessageEntity

from glas.domain.errors import InvalidParameterError
from glas.tg_bot.api.errors import (
    MessageGoneError,
    PersonGoneError,
    TelegramAwayError,
    UnreadableAnswerError,
    error_of_answer,
    is_not_modified,
    translated,
)
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.api.moves import Moves

_T = TypeVar("_T")

# aiogram requests pydantic's model of an answer at each call, and pydantic caches it only while it is referenced. To
# make it again takes more processor time than the rest of a call.
_ANSWERS = [
    Response[method.__returning__]  # type: ignore[name-defined]
    for method in (AnswerCallbackQuery, EditMessageText, GetFile, GetUpdates, SendChatAction, SendMessage)
]


@asynccontextmanager
async def open_telegram(token: str, *, api_url: str | None, is_local: bool, limiter: RateLimiter) -> AsyncIterator[Bot]:
    """Open a client of the Bot API.

    Args:
        token: token of the bot.
        api_url: URL of a Bot API server of the operator; None if Telegram's own server is used.
        is_local: whether the server at `api_url` runs with `--local`, and so returns paths of files on this machine.
        limiter: the middleware through which every call passes.
    """
    server = PRODUCTION if api_url is None else TelegramAPIServer.from_base(api_url, is_local=is_local)
    session = AiohttpSession(api=server)
    session.middleware(Moves())
    session.middleware(limiter)
    # No link previews: Telegram would look up what people said, and the bot's own links need none.
    bot = Bot(token, session=session, default=DefaultBotProperties(link_preview_is_disabled=True))
    try:
        yield bot
    finally:
        await bot.session.close()


async def said(call: Callable[[], Awaitable[_T]]) -> _T:
    """Make a call to the Bot API; if the call fails, raise an error of Glas instead of an error of aiogram.

    Raises:
        TelegramAwayError: Telegram cannot be reached now; a later call may succeed.
        PersonGoneError: the person blocked the bot, or the bot was removed from the chat.
        MessageGoneError: the message to edit was deleted or is too old.
        GlasError: any other error.
    """
    try:
        return await call()
    except TelegramAPIError as error:
        raise translated(error) from None
    except ClientDecodeError as error:
        raise error_of_answer(error.data) from None
    except UnicodeDecodeError:
        raise error_of_answer(None) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TelegramAwayError(f"Telegram cannot be reached ({type(error).__name__})") from None


async def sent(call: Callable[[], Awaitable[Message]]) -> Message:
    """Send a message, and return it.

    An answer of Telegram that cannot be parsed is accepted if it contains the id of the message, and the id
    and type of the chat.

    Raises:
        GlasError: the errors of `said`.
    """
    try:
        return await said(call)
    except UnreadableAnswerError as error:
        match error.body:
            case {"result": {"message_id": int(message_id), "chat": {"id": int(chat_id), "type": str(kind)}}}:
                chat = Chat.model_construct(id=chat_id, type=kind)
                return Message.model_construct(message_id=message_id, chat=chat, date=datetime.now(UTC))
        raise


async def edit_text(
    bot: Bot,
    chat_id: int,
    message_id: int,
    text: str,
    keyboard: InlineKeyboardMarkup | None = None,
    *,
    entities: Sequence[MessageEntity] = (),
    parse_mode: str | None = None,
) -> None:
    """Set the text of a message; do nothing if the message has this text already.

    Raises:
        MessageGoneError: the message was deleted.
    """
    try:
        await said(
            lambda: bot.edit_message_text(
                text,
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=keyboard,
                entities=list(entities) or None,
                parse_mode=parse_mode,
            )
        )
    except UnreadableAnswerError:
        return  # the edit succeeded; only the form of the answer is unknown
    except InvalidParameterError as error:
        if not is_not_modified(error):
            raise


async def edit_caption(
    bot: Bot, chat_id: int, message_id: int, caption: str, keyboard: InlineKeyboardMarkup | None
) -> None:
    """Set the caption (the text below the picture) and the buttons of a message.

    Do nothing if the message has this caption and these buttons already, or if the message was deleted.
    """
    await _edit(
        lambda: bot.edit_message_caption(chat_id=chat_id, message_id=message_id, caption=caption, reply_markup=keyboard)
    )


async def edit_keyboard(bot: Bot, chat_id: int, message_id: int, keyboard: InlineKeyboardMarkup | None) -> None:
    """Set the buttons of a message; do nothing if it has these buttons already, or if the message was deleted."""
    await _edit(lambda: bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id, reply_markup=keyboard))


async def _edit(call: Callable[[], Awaitable[Message | bool]]) -> None:
    try:
        await said(call)
    except (MessageGoneError, UnreadableAnswerError):
        return
    except InvalidParameterError as error:
        if not is_not_modified(error):
            raise


async def delete_message(bot: Bot, chat_id: int, message_id: int) -> None:
    """Delete a message of the bot; do nothing if it was deleted already, or if it is too old to be deleted."""
    with contextlib.suppress(InvalidParameterError, PersonGoneError):
        await said(lambda: bot.delete_message(chat_id, message_id))
