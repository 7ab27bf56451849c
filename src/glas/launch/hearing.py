"""Recognition for a command that serves nobody."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TypeAlias

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.transcription import Recognition
from glas.nn_service.recogniser import load_served_engine, make_decoder, make_transcriber
from glas.nn_service.transcribe import Step
from glas.settings import Settings, plain

Hear: TypeAlias = Callable[[bytes, Callable[[Step], None]], Recognition]


@contextlib.contextmanager
def open_hearing(settings: Settings) -> Iterator[Hear]:
    """What turns bytes into text for a command that serves nobody: threads may call it at once.

    It loads the model into this process, or asks the nn_service that the settings name.
    """
    if settings.nn_service_url is not None:
        yield functools.partial(_hear_elsewhere, settings.nn_service_url, plain(settings.nn_service_token))
        return
    engine = load_served_engine(settings)
    decoder = make_decoder(settings.audio)
    try:
        transcriber = make_transcriber(decoder, settings.nn_service)
        yield lambda data, on_step: transcriber.transcribe(data, engine, on_step=on_step)
    finally:
        decoder.close()
        engine.close()


def _hear_elsewhere(url: str, token: str | None, data: bytes, _on_step: Callable[[Step], None]) -> Recognition:
    async def ask() -> Recognition:
        client = NnServiceClient(open_http(url=url, token=token))
        try:
            return await client.transcribe(data)
        finally:
            await client.close()

    return asyncio.run(ask())
