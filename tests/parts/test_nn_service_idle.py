"""Copies of messages are recognised while nobody waits, stop at once for other requests, and use no place."""

import asyncio
from typing import Any

import pytest

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import OverloadedError
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import NnServiceSettings, Settings
from tests.models.swapped import write_two


@pytest.fixture
def one_place(settings: Settings) -> Settings:
    """Settings of a service that recognises one recording at a time, and in which no other may wait."""
    names = write_two(settings.models_dir)
    return settings.model_copy(update={"model": names[0], "nn_service": NnServiceSettings(workers=1, queue_size=0)})


async def begun(client: NnServiceClient, data: bytes, *, when_idle: bool) -> "asyncio.Task[Any]":
    """A long recording of which some pieces are recognised."""
    some = asyncio.Event()
    running = asyncio.create_task(
        client.transcribe(data, when_idle=when_idle, on_progress=lambda _progress: some.set())
    )
    waiting = asyncio.create_task(some.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done(), running
    return running


async def test_a_copy_makes_way_for_whoever_comes(one_place: Settings, long_wav: bytes, short_wav: bytes) -> None:
    app = create_app(one_place, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        alone = await client.transcribe(short_wav, when_idle=True)
        copy = await begun(client, long_wav, when_idle=True)
        with pytest.raises(OverloadedError):
            await client.transcribe(short_wav, when_idle=True)  # one copy at a time
        answered = await client.transcribe(short_wav)
        assert answered.hypothesis.text == alone.hypothesis.text
        with pytest.raises(OverloadedError):
            await asyncio.wait_for(copy, 30)
        person = await begun(client, long_wav, when_idle=False)
        with pytest.raises(OverloadedError):
            await client.transcribe(short_wav, when_idle=True)
        person.cancel()
        metrics = (await http.get("/metrics")).text
        assert 'outcome="overloaded"' not in metrics
        assert 'glas_recognition_requests_total{outcome="ok"} 2.0' in metrics
