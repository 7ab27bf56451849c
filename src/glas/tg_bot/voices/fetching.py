"""Download recordings before their recognition, and limit how many bytes are in memory.

A recording for which Telegram states a small size is downloaded immediately. Of all larger recordings, at most
`n_large` are being downloaded or are in memory at the same time; further large recordings wait in the order of arrival.
So slow downloads of large files delay only other large files. If a Bot API server runs on this machine, the files are
on its disk. Such files are read only when they are recognised, so the limit does not apply to them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiogram import Bot

from glas import tracing
from glas.tg_bot.api.download import at_hand
from glas.tg_bot.voices.recognition_queue import ByteCache, Phase, Ticket
from glas.tg_bot.voices.recordings import Recording

# Eight minutes of a voice message at Telegram's 32 kbit/s. Times `GLAS_BOT__CONCURRENCY` (32), it is 64 MB.
SMALL_BYTES: Final = 2_000_000


class Fetching:
    """Downloads recordings.

    Args:
        bot: the client of the Bot API.
        byte_cache: stores the bytes of recordings in memory, for another attempt and for the archive.
        limit_bytes: size of the largest permitted file in bytes.
        n_large: largest number of files of more than `SMALL_BYTES` bytes that are being downloaded or are in memory at
            the same time.
    """

    def __init__(self, bot: Bot, byte_cache: ByteCache, *, limit_bytes: int, n_large: int) -> None:
        self._bot = bot
        self._byte_cache = byte_cache
        self._limit_bytes = limit_bytes
        self._large = asyncio.Semaphore(n_large)

    @asynccontextmanager
    async def held(self, recording: Recording, ticket: Ticket) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        """Download a recording, and make its bytes available while the context is open.

        Yields:
            A function that returns the bytes without waiting for the network.

        Raises:
            GlasError: Telegram does not provide the file.
        """
        async with AsyncExitStack() as stack:
            data = self._byte_cache.get(recording.file_unique_id)
            is_in_memory = not self._bot.session.api.is_local
            if is_in_memory and not 0 < recording.size_bytes <= SMALL_BYTES:
                await stack.enter_async_context(self._large)
                data = self._byte_cache.get(recording.file_unique_id)
            if data is not None:
                yield _returning(data)
                return
            ticket.phase = Phase.DOWNLOADING
            with tracing.span("tg_bot", "download"):
                read = await at_hand(self._bot, recording.file_id, limit_bytes=self._limit_bytes)
                if is_in_memory:
                    self._byte_cache.put(recording.file_unique_id, await read())
            yield read

    def drop(self, recording: Recording) -> None:
        """Remove the bytes of a recording from memory."""
        self._byte_cache.take(recording.file_unique_id)

    async def fetch(self, file_id: str) -> bytes:
        """Download a file from Telegram, and return its bytes."""
        with tracing.span("tg_bot", "download"):
            return await (await at_hand(self._bot, file_id, limit_bytes=self._limit_bytes))()


def _returning(data: bytes) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        return data

    return read
