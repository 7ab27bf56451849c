"""A running service begins to use the model that another process has chosen, and no request fails."""

import asyncio
import threading
import time
from pathlib import Path

import httpx
import pytest

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import GlasError, ModelError, UnknownModelError
from glas.engines.catalogue import AUTO, choose, named_champion
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import Settings
from tests.conftest import Sample
from tests.models.swapped import write_two, write_weights

CALLERS = 8
BACK_WITHIN_S = 5


@pytest.fixture
def models(settings: Settings) -> list[str]:
    """Uniform names of two small models in the directory of models; the first one is the champion."""
    return write_two(settings.models_dir)


async def default_of(client: NnServiceClient) -> str:
    return (await client.health()).model


async def until_default(client: NnServiceClient, name: str) -> None:
    for _ in range(100):
        if await default_of(client) == name:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"10 s after the choice {name} does not serve")


async def test_a_choice_is_followed_while_callers_ask(
    settings: Settings, models: list[str], samples: list[Sample]
) -> None:
    sound, seen = samples[0].path.read_bytes(), set[str]()
    ended = asyncio.Event()
    app = create_app(settings.model_copy(update={"model": AUTO}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)

        async def ask() -> None:
            while not ended.is_set():
                seen.add((await client.transcribe(sound)).hypothesis.model)

        callers = [asyncio.create_task(ask()) for _ in range(CALLERS)]
        assert await default_of(client) == models[0]
        choose(models[1], settings.models_dir)
        await until_default(client, models[1])
        choose(models[0], settings.models_dir)
        await until_default(client, models[0])
        ended.set()
        await asyncio.gather(*callers)
    assert seen == set(models)


async def loaded_since(http: httpx.AsyncClient) -> dict[str, str]:
    """Return the times at which the models in memory were loaded."""
    told = (await http.get("/api/ps")).raise_for_status().json()["models"]
    return {model["id"]: model["since"] for model in told}


async def test_the_model_before_serves_again_within_seconds(
    settings: Settings, models: list[str], samples: list[Sample]
) -> None:
    """The previous model is still in memory, so nothing is loaded and nobody is refused."""
    sound, failures, ended = samples[0].path.read_bytes(), list[Exception](), asyncio.Event()
    app = create_app(settings.model_copy(update={"model": AUTO}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)

        async def ask() -> None:
            while not ended.is_set():
                try:
                    await client.transcribe(sound)
                except GlasError as error:
                    failures.append(error)

        callers = [asyncio.create_task(ask()) for _ in range(CALLERS)]
        choose(models[1], settings.models_dir)
        await until_default(client, models[1])
        before = await loaded_since(http)
        began_s = time.monotonic()
        choose(models[0], settings.models_dir)
        await until_default(client, models[0])
        assert time.monotonic() - began_s < BACK_WITHIN_S
        assert await loaded_since(http) == before
        assert set(before) == set(models)
        ended.set()
        await asyncio.gather(*callers)
    assert failures == []


async def test_a_choice_is_followed_while_all_threads_of_the_loop_are_busy(
    settings: Settings, models: list[str]
) -> None:
    """The check has a thread of its own, so it does not wait for these threads."""
    ended = threading.Event()
    app = create_app(settings.model_copy(update={"model": AUTO}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        assert await default_of(client) == models[0]
        busy = [asyncio.create_task(asyncio.to_thread(ended.wait)) for _ in range(64)]
        await asyncio.sleep(0)
        try:
            choose(models[1], settings.models_dir)
            await until_default(client, models[1])
        finally:
            ended.set()
        await asyncio.gather(*busy)


def damage(directory: Path) -> None:
    for path in directory.iterdir():
        path.write_bytes(b"damaged")


async def test_a_choice_that_cannot_be_loaded_changes_nothing(settings: Settings, models: list[str]) -> None:
    app = create_app(settings.model_copy(update={"model": AUTO}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        await asyncio.to_thread(damage, Path(models[1].partition(":")[2]))
        choose(models[1], settings.models_dir)
        await asyncio.sleep(2.5)
        assert await default_of(client) == models[0]
        assert "glas_recognition_choice_served 0.0" in (await http.get("/metrics")).text
        choose(models[0], settings.models_dir)
        assert "glas_recognition_choice_served 1.0" in (await http.get("/metrics")).text


async def test_a_named_model_is_not_replaced(settings: Settings, models: list[str]) -> None:
    app = create_app(settings.model_copy(update={"model": models[0]}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        choose(models[1], settings.models_dir)
        await asyncio.sleep(2.5)
        assert await default_of(client) == models[0]


async def test_a_model_that_was_made_here_serves_at_a_word(settings: Settings, models: list[str]) -> None:
    """It is found by the last part of its path and is kept after a restart; a path outside is refused."""
    app = create_app(settings.model_copy(update={"model": AUTO}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        assert await client.serve("onnx:/elsewhere/models/small-1")
        assert await default_of(client) == models[1] == named_champion(settings.models_dir)
        outside = settings.data_dir / "outside"
        write_weights(outside, 0)
        for unknown in (f"onnx:{outside}", "onnx:/elsewhere/models/..", "onnx:/"):
            with pytest.raises(UnknownModelError):
                await client.serve(unknown)
        await asyncio.to_thread(damage, Path(models[0].partition(":")[2]))
        with pytest.raises(ModelError):
            await client.serve(models[0])
        assert await default_of(client) == models[1]
