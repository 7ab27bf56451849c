"""The progress of a service reaches its caller at once, in this process and over TCP."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.events import PartialText
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import CorruptAudioError, ServiceFaultError, ServiceUnreachableError
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.conftest import Sample, Server, as_wav
from tests.parts.bots import nn_service_at

HEADERS = [(b"content-type", b"text/event-stream")]


class Service:
    """An app that sends a piece, waits for the test, and then ends as the test requests."""

    def __init__(self, end: str) -> None:
        self._end = end
        self.may_end = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        if self._end == "no answer":
            raise RuntimeError
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        delta = b'{"type":"transcript.text.delta","delta":"first","progress_seconds":1.5}'
        await send({"type": "http.response.body", "body": b"data: " + delta + b"\n\n", "more_body": True})
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self._end == "cut off":
            raise RuntimeError
        await send({"type": "http.response.body", "body": self._end.encode()})


async def told(app: ASGIApp, meanwhile: Callable[[PartialText], None]) -> Any:
    """Return the answer of an app in this process."""
    client = NnServiceClient(open_http(url=None, app=app))
    try:
        return await client.transcribe(b"sound", on_progress=meanwhile)
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("no answer", ServiceFaultError),
        ("cut off", ServiceUnreachableError),
        ("data: [DONE]\n\n", ServiceFaultError),
        ('data: {"error":{"message":"m","code":"audio_corrupt"}}\n\n', CorruptAudioError),
        ("data: {\n\n", ServiceFaultError),
    ],
)
async def test_a_service_here_tells_at_once_and_its_end_is_understood(end: str, error: type[Exception]) -> None:
    """The piece arrives while the app still works; an end without a text is an error."""
    service, heard = Service(end), list[PartialText]()

    def on_progress(partial: PartialText) -> None:
        assert not service.may_end.is_set()
        heard.append(partial)
        service.may_end.set()

    async with asyncio.timeout(5):
        with pytest.raises(error):
            await told(service, on_progress)
    assert heard == ([] if end == "no answer" else [PartialText(1.5, "first")])


async def test_a_service_here_ends_with_its_caller() -> None:
    """The app is cancelled, because nobody reads the rest of the answer."""
    service, is_told = Service("never"), asyncio.Event()
    caller = asyncio.create_task(told(service, lambda _partial: is_told.set()))
    await asyncio.wait_for(is_told.wait(), 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert service.was_cancelled


async def test_a_long_recording_is_told_piece_by_piece(server: Server, samples: list[Sample]) -> None:
    """The pieces of the real service become the text, and the result is that of a plain request."""
    limits, silence = DecodeLimits(), np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
    spoken = [np.concatenate([*decode_blocks(one.path.read_bytes(), limits), silence]) for one in samples[:3]]
    sound = as_wav(np.concatenate(spoken))
    nn_service, heard = nn_service_at(server.url), list[PartialText]()
    recognition = await nn_service.transcribe(sound, on_progress=heard.append)
    plain = await nn_service.transcribe(sound)
    await nn_service.close()
    assert len(heard) > 1
    assert [one.done_s for one in heard] == sorted(one.done_s for one in heard)
    assert heard[-1].text.split() == recognition.hypothesis.text.split()
    assert recognition.hypothesis == plain.hypothesis
