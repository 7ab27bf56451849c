"""Recognition for a command that serves nobody."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TypeAlias

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.transcription import Recognition
from glas.nn_service.job import Job
from glas.nn_service.recogniser import make_registry, open_transcriber
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
    registry = make_registry(settings)
    with (
        contextlib.closing(registry),
        registry.lease(registry.default, Job()) as engine,
        open_transcriber(settings) as transcriber,
    ):
        yield lambda data, on_step: transcriber.transcribe(data, engine, Job(), on_step=on_step)


def _hear_elsewhere(url: str, token: str | None, data: bytes, _on_step: Callable[[Step], None]) -> Recognition:
    async def ask() -> Recognition:
        client = NnServiceClient(open_http(url=url, token=token))
        try:
            return await client.transcribe(data)
        finally:
            await client.close()

    return asyncio.run(ask())
