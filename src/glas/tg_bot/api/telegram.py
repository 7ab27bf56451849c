"""Client of the Bot API that keeps Telegram's limits and raises our own errors, which never contain the token.

Exceptions of the HTTP client contain URLs, and Telegram's URLs contain the token. So these exceptions are converted
into exceptions without URLs.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import AnswerCallbackQuery, EditMessageText, GetFile, GetUpdates, SendChatAction, SendMessage
from aiogram.methods.base import Response
from aiogram.types import Chat, InlineKeyboardMarkup, Message, MessageEntity

from glas.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    GlasError,
    InvalidParameterError,
    OverloadedError,
    ServiceFaultError,
    ServiceTimeoutError,
    ServiceUnreachableError,
)
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.api.moves import Moves

_T = TypeVar("_T")

# These errors differ only in Telegram's text.
_GONE_MESSAGE = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")
_GONE_PERSON = ("chat not found", "PEER_ID_INVALID", "user is deactivated")
_FORBIDDEN = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "CHAT_SEND_",
    "CHAT_WRITE_FORBIDDEN",
    "CHAT_RESTRICTED",
    "TOPIC_CLOSED",
)

# aiogram requests pydantic's model of an answer at each call, and pydantic caches it only while it is referenced. To
# make it again takes more processor time than the rest of a call.
_ANSWERS = [
    Response[method.__returning__]  # type: ignore[name-defined]
    for method in (AnswerCallbackQuery, EditMessageText, GetFile, GetUpdates, SendChatAction, SendMessage)
]


class TelegramAwayError(ServiceUnreachableError):
    """Telegram cannot be reached, or answers with an internal error."""

    code = "telegram_unreachable"


class PersonGoneError(ForbiddenError):
    """The person blocked the bot, or the bot was removed from the chat, so nobody can be answered."""

    code = "person_gone"


class ChatForbidsError(PersonGoneError):
    """The chat does not permit this kind of message; another kind may be permitted."""

    code = "chat_forbids"


class UnreadableAnswerError(GlasError):
    """Telegram has carried out the call, but its answer has an unknown format."""

    code = "telegram_answer_unreadable"

    def __init__(self, message: str, *, body: Any = None, **options: Any) -> None:
        super().__init__(message, **options)
        self.body = body


class MessageGoneError(InvalidParameterError):
    """The message to edit was deleted, or it is too old to be edited."""

    code = "message_gone"


class DownloadError(InvalidParameterError):
    """Telegram does not provide the file."""

    code = "download_failed"


@asynccontextmanager
async def open_telegram(token: str, *, api_url: str | None, is_local: bool, limiter: RateLimiter) -> AsyncIterator[Bot]:
    """Open a client of the Bot API.

    Args:
        token: token of the bot.
        api_url: URL of another server than Telegram's own.
        is_local: whether this server runs with `--local` on this machine and returns paths of files.
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
    """Make a call to the Bot API; raise our own error if it fails.

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
        raise _of_unreadable(error.data) from None
    except UnicodeDecodeError:
        raise TelegramAwayError("something between here and Telegram answered in its place") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TelegramAwayError(f"Telegram cannot be reached ({type(error).__name__})") from None


async def sent(call: Callable[[], Awaitable[Message]]) -> Message:
    """Send a message; if the answer has an unknown format, the number of the message is sufficient.

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


def translated(error: TelegramAPIError) -> GlasError:
    """Convert an exception of aiogram into one of ours."""
    name = type(error).__name__
    if isinstance(error, TelegramBadRequest):
        return _of_bad_request(error.message)
    made: GlasError = ServiceFaultError(f"Telegram answered {name}")
    match error:
        case TelegramRetryAfter():
            made = OverloadedError("Telegram asks for a pause", retry_after_s=error.retry_after)
        case TelegramNetworkError() | TelegramServerError():
            made = TelegramAwayError(f"Telegram cannot be reached ({name})")
        case TelegramUnauthorizedError() | TelegramNotFound():
            made = ConfigurationError("Telegram does not know this token; ask @BotFather for a new one")
        case TelegramConflictError():
            made = ConfigurationError(error.message)
        case TelegramForbiddenError():
            made = PersonGoneError(error.message)
        case TelegramMigrateToChat():
            made = MessageGoneError("it was written before the group became a supergroup")
    return made


def _of_unreadable(body: Any) -> GlasError:
    """Return the error for an answer that is not the Bot API's: a page of a proxy, or an incomplete body.

    As after a broken connection, it is not known whether the call had an effect, so the call is repeated.
    """
    if isinstance(body, dict) and body.get("ok") is True:
        return UnreadableAnswerError("Telegram's answer is not understood", body=body)
    return TelegramAwayError("something between here and Telegram answered in its place")


def _of_bad_request(text: str) -> GlasError:
    if any(sign in text for sign in _GONE_MESSAGE):
        return MessageGoneError(text)
    if any(sign in text for sign in _GONE_PERSON):
        return PersonGoneError(text)
    if any(sign in text for sign in _FORBIDDEN):
        return ChatForbidsError(text)
    return InvalidParameterError(text)


def is_not_modified(error: InvalidParameterError) -> bool:
    """Return whether an edit failed because the message already has this content; this counts as success."""
    return "message is not modified" in error.message


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
    """Set the text of a message; do nothing if it is the same already.

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
    """Set the text below a picture, and its buttons; ignore the error if they are the same or it was deleted."""
    await _edit(
        lambda: bot.edit_message_caption(chat_id=chat_id, message_id=message_id, caption=caption, reply_markup=keyboard)
    )


async def edit_keyboard(bot: Bot, chat_id: int, message_id: int, keyboard: InlineKeyboardMarkup | None) -> None:
    """Set the buttons of a message; ignore the error if they are the same already or the message was deleted."""
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
    """Delete a message of the bot; ignore the error if it was deleted already or is too old."""
    with contextlib.suppress(InvalidParameterError, PersonGoneError):
        await said(lambda: bot.delete_message(chat_id, message_id))


class RetryRule:
    """Decide which errors are temporary: a service or Telegram is unavailable, or a queue is full.

    An internal error of a service may be a permanent bug, so the call is repeated only a few times.
    """

    def __init__(self, *, max_faults: int = 8) -> None:
        self._faults_left = max_faults

    def pause_s(self, error: Exception) -> float | None:
        """Return the least number of seconds to wait before another attempt; None if another attempt cannot succeed."""
        match error:
            case OverloadedError():
                return error.retry_after_s or 1.0
            case ServiceUnreachableError() | ServiceTimeoutError():
                return 0.0
            case ServiceFaultError() if self._faults_left > 0:
                self._faults_left -= 1
                return 0.0
            case _:
                return None
