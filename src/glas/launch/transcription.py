"""Recognise recordings for a command, either with a model in this process, or with the nn_service in the settings."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.transcription import Recognition
from glas.recognition import Progress, open_recogniser
from glas.settings import Settings, plain


def _no_progress(_progress: Progress) -> None:
    """Do nothing; this is the default for `on_progress`."""


class Transcribe(Protocol):
    """Recognises one recording; several threads may call it at the same time."""

    def __call__(self, data: bytes, /, *, on_progress: Callable[[Progress], None] = ...) -> Recognition:
        """Recognise a whole file; see `Recogniser.transcribe`."""


@contextlib.contextmanager
def open_transcription(settings: Settings, *, timeout_s: float = 3600) -> Iterator[Transcribe]:
    """Open a context with a function by which a command recognises recordings.

    If GLAS_NN_SERVICE_URL is set, the function calls this service and reports no progress. Otherwise it uses a model
    that is loaded into this process.

    Args:
        settings: settings of the command.
        timeout_s: longest time, in seconds, to wait for an answer of the service.
    """
    if settings.nn_service_url is not None:
        url, token = settings.nn_service_url, plain(settings.nn_service_token)
        yield functools.partial(_ask_service, url, token, settings.tls.authority, timeout_s)
        return
    with open_recogniser(settings) as recogniser:
        yield recogniser.transcribe


def _ask_service(
    url: str,
    token: str | None,
    authority: Path | None,
    timeout_s: float,
    data: bytes,
    *,
    on_progress: Callable[[Progress], None] = _no_progress,
) -> Recognition:
    del on_progress

    async def ask() -> Recognition:
        client = NnServiceClient(open_http(url=url, token=token, authority=authority))
        try:
            return await client.transcribe(data, timeout_s=timeout_s)
        finally:
            await client.close()

    return asyncio.run(ask())
