"""The Bot API's client: rate-limited, and failing with errors of ours, none of which holds the token.

Exceptions of the HTTP client quote addresses, and Telegram's addresses hold the token. They end here.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
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
from aiogram.types import InlineKeyboardMarkup

from glas.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    GlasError,
    InvalidParameterError,
    OverloadedError,
    ServiceFaultError,
    ServiceTimeoutError,
    ServiceUnreachableError,
    UploadTooLargeError,
)
from glas.tg_bot.api.limiter import RateLimiter
from glas.tg_bot.api.moves import Moves

_T = TypeVar("_T")
_DOWNLOAD_S = 300
_CHUNK_BYTES = 256 * 1024

# Telegram tells these apart by words only.
_GONE_MESSAGE = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")
_GONE_PERSON = ("chat not found", "not enough rights", "PEER_ID_INVALID", "user is deactivated")

# aiogram asks pydantic for the model of an answer at each call, and pydantic keeps it only while somebody holds it:
# made anew, it costs more processor time than everything else about a call.
_ANSWERS = [
    Response[method.__returning__]  # type: ignore[name-defined]
    for method in (AnswerCallbackQuery, EditMessageText, GetFile, GetUpdates, SendChatAction, SendMessage)
]


class TelegramAwayError(ServiceUnreachableError):
    """Telegram cannot be reached, or fails within."""

    code = "telegram_unreachable"


class PersonGoneError(ForbiddenError):
    """The person blocked the bot, or the chat threw it out: there is nobody to answer."""

    code = "person_gone"


class MessageGoneError(InvalidParameterError):
    """The message to edit was deleted, or is too old to be edited."""

    code = "message_gone"


class DownloadError(InvalidParameterError):
    """Telegram does not give the file out."""

    code = "download_failed"


@asynccontextmanager
async def open_telegram(token: str, *, api_url: str | None, is_local: bool, limiter: RateLimiter) -> AsyncIterator[Bot]:
    """A client of the Bot API.

    Args:
        token: of the bot.
        api_url: another server than Telegram's own.
        is_local: that server runs with `--local` on this machine and hands files over as paths.
        limiter: what every call passes.
    """
    server = PRODUCTION if api_url is None else TelegramAPIServer.from_base(api_url, is_local=is_local)
    session = AiohttpSession(api=server)
    session.middleware(Moves())
    session.middleware(limiter)
    bot = Bot(token, session=session)
    try:
        yield bot
    finally:
        await bot.session.close()


async def said(call: Callable[[], Awaitable[_T]]) -> _T:
    """Make a call of the Bot API; failures become errors of ours.

    Raises:
        TelegramAwayError: it may succeed later.
        PersonGoneError: nobody is there to read.
        MessageGoneError: nothing is there to edit.
        GlasError: something else is wrong with it.
    """
    try:
        return await call()
    except TelegramAPIError as error:
        raise translated(error) from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TelegramAwayError(f"Telegram cannot be reached ({type(error).__name__})") from None


def translated(error: TelegramAPIError) -> GlasError:
    """The error of ours for one of aiogram's."""
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


def _of_bad_request(text: str) -> GlasError:
    if any(sign in text for sign in _GONE_MESSAGE):
        return MessageGoneError(text)
    if any(sign in text for sign in _GONE_PERSON):
        return PersonGoneError(text)
    return InvalidParameterError(text)


def is_not_modified(error: InvalidParameterError) -> bool:
    """Whether an edit failed because everything stands there already, which is success."""
    return "message is not modified" in error.message


async def edit_text(
    bot: Bot, chat_id: int, message_id: int, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> None:
    """Let a message say `text`; saying the same again is fine.

    Raises:
        MessageGoneError: it is not there any more.
    """
    try:
        await said(lambda: bot.edit_message_text(text, chat_id=chat_id, message_id=message_id, reply_markup=keyboard))
    except InvalidParameterError as error:
        if not is_not_modified(error):
            raise


async def edit_keyboard(bot: Bot, chat_id: int, message_id: int, keyboard: InlineKeyboardMarkup | None) -> None:
    """Change the buttons under a message; the same again is fine, and so is a message that is gone."""
    try:
        await said(lambda: bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id, reply_markup=keyboard))
    except MessageGoneError:
        return
    except InvalidParameterError as error:
        if not is_not_modified(error):
            raise


async def download(bot: Bot, file_id: str, *, limit_bytes: int) -> bytes:
    """The bytes of a file.

    Raises:
        UploadTooLargeError: more than `limit_bytes`, whatever was announced.
        DownloadError: Telegram has no such file.
        TelegramAwayError: it may succeed later.
    """
    try:
        file = await said(lambda: bot.get_file(file_id))
    except InvalidParameterError as error:
        if "too big" in error.message:
            raise _too_large(limit_bytes) from None
        raise DownloadError(error.message) from None
    if file.file_path is None:
        raise DownloadError("Telegram names no path of the file")
    if (file.file_size or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    if bot.session.api.is_local:
        # A server with `--local` shares this machine's disk; the path is that server's choice, not a person's.
        return await asyncio.to_thread(_read, Path(file.file_path), limit_bytes)
    data = await _fetch(bot, file.file_path, limit_bytes)
    if file.file_size is not None and len(data) != file.file_size:
        raise TelegramAwayError(f"expected {file.file_size} bytes of a file, got {len(data)}")
    return data


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise DownloadError(
            f"the Bot API server's file cannot be read here ({error.strerror}): with GLAS_BOT__API_IS_LOCAL its "
            "directory must be this machine's too, under the same path"
        ) from None
    if len(data) > limit_bytes:
        raise _too_large(limit_bytes)
    return data


async def _fetch(bot: Bot, path: str, limit_bytes: int) -> bytes:
    buffer = io.BytesIO()
    url = bot.session.api.file_url(bot.token, path)
    try:
        async for chunk in bot.session.stream_content(url, timeout=_DOWNLOAD_S, chunk_size=_CHUNK_BYTES):
            buffer.write(chunk)
            if buffer.tell() > limit_bytes:
                raise _too_large(limit_bytes)
    except aiohttp.ClientResponseError as error:
        raise TelegramAwayError(f"Telegram answered a download with status {error.status}") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TelegramAwayError(f"a download was cut off ({type(error).__name__})") from None
    return buffer.getvalue()


def _too_large(limit_bytes: int) -> UploadTooLargeError:
    return UploadTooLargeError(f"expected a file of at most {limit_bytes} bytes, got a larger one")


class Patience:
    """Which errors pass if one waits: services and Telegram come back, a full queue empties.

    A service that fails within may have met a bug that waiting does not mend: it gets a few chances only.
    """

    def __init__(self, *, max_faults: int = 8) -> None:
        self._faults_left = max_faults

    def pause_s(self, error: Exception) -> float | None:
        """Least seconds to wait; None where waiting does not help."""
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
