"""Download a file from Telegram, or read it from the disk of a Bot API server on this machine."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiogram import Bot

from glas.domain.errors import InvalidParameterError, UploadTooLargeError
from glas.tg_bot.api.errors import DownloadError, TelegramAwayError
from glas.tg_bot.api.telegram import said

_DOWNLOAD_S = 300
_CHUNK_BYTES = 256 * 1024


async def download(bot: Bot, file_id: str, *, limit_bytes: int) -> bytes:
    """Return the bytes of a file; this function raises the same errors as `at_hand`."""
    return await (await at_hand(bot, file_id, limit_bytes=limit_bytes))()


async def at_hand(bot: Bot, file_id: str, *, limit_bytes: int) -> Callable[[], Awaitable[bytes]]:
    """Download a file, unless a Bot API server on this machine (with `--local`) has stored the file on the disk.

    Returns:
        A function that returns the bytes of the file without using the network. If the file is on the disk, this
        function can also raise UploadTooLargeError and DownloadError.

    Raises:
        UploadTooLargeError: the file has more than `limit_bytes` bytes. This is also checked if Telegram stated a
            smaller size.
        DownloadError: Telegram does not have the file.
        TelegramAwayError: Telegram cannot be reached now; a later call may succeed.
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
        # A server with `--local` uses this machine's disk; the path comes from that server and not from a person.
        path = Path(file.file_path)
        return lambda: asyncio.to_thread(_read, path, limit_bytes)
    data = await _fetch(bot, file.file_path, limit_bytes)
    if file.file_size is not None and len(data) != file.file_size:
        raise TelegramAwayError(f"expected {file.file_size} bytes of a file, got {len(data)}")

    async def given() -> bytes:
        return data

    return given


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
