"""Helpers for tests of db_assist: the service over both transports, and people who send messages."""

import asyncio
import contextlib
import hashlib
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.clients.http import open_http
from glas.db_assist.app import create_app
from glas.domain.messages import MediaKind, Transcription
from glas.domain.people import Purpose
from glas.settings import Settings

BOT = 7_000_000_001
HEARD = "привет это проверка голосового сообщения"

_numbers = itertools.count(1)


@asynccontextmanager
async def open_db_assist(
    settings: Settings, *, key: str | None = None, tcp: bool = False
) -> AsyncIterator[DbAssistClient]:
    """Start db_assist and return its client, in the process or over a socket."""
    app = create_app(settings, key=key)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        url = None
        if tcp:
            sock = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            stack.push_async_callback(_stop, server, serving)
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        client = DbAssistClient(open_http(url=url, app=app, token=key))
        stack.push_async_callback(client.close)
        yield client


async def _stop(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


def someone() -> int:
    """Return an unused Telegram id beyond 32 bits."""
    return 2**40 + next(_numbers)


def sha256(text: str) -> str:
    """Return the hash of any object."""
    return hashlib.sha256(text.encode()).hexdigest()


def message(
    tg_id: int, *, file: str | None = None, forwarded: bool = False, attempt: int = 1, message_id: int | None = None
) -> NewTranscription:
    """Make a voice message in a private chat; the file is new unless one is given."""
    number = next(_numbers)
    return NewTranscription(
        tg_id=tg_id,
        bot_id=BOT,
        chat_id=tg_id,
        message_id=message_id or number,
        attempt=attempt,
        file_id=f"file-{number}",
        file_unique_id=file or f"unique-{number}",
        media_kind=MediaKind.VOICE,
        is_forwarded=forwarded,
    )


def heard(text: str = HEARD, *, duration_s: float = 10.0, samples: str | None = None) -> Finished:
    """Make the result of recognition; the audio is new unless its samples are given."""
    fingerprint = sha256(samples or f"samples-{next(_numbers)}")
    return Finished(
        text=text,
        duration_s=duration_s,
        confidence=0.9,
        model="onnx:test",
        model_version="0123456789ab",
        fingerprint=fingerprint,
    )


async def send(
    client: DbAssistClient,
    tg_id: int,
    *,
    text: str = HEARD,
    duration_s: float = 10.0,
    file: str | None = None,
    samples: str | None = None,
    forwarded: bool = False,
) -> Transcription:
    """Let a person send a message, and recognise it."""
    created = await client.create_transcription(message(tg_id, file=file, forwarded=forwarded))
    return await client.finish(created.id, heard(text, duration_s=duration_s, samples=samples))


async def speaker(db_assist: DbAssistClient) -> tuple[int, int]:
    """A person who agrees to training; returns their Telegram id and a message of theirs."""
    person = someone()
    await db_assist.register(person)
    await db_assist.set_consent(person, Purpose.TRAINING, granted=True, text_version="1")
    return person, (await send(db_assist, person)).id
