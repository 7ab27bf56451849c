"""Models of nn_service over HTTP: list, load, swap and unload models while requests are answered."""

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.engines import Engine
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.recognition import resident_bytes
from glas.settings import NnServiceSettings, Settings
from glas.settings.keys import new_key
from tests.conftest import Sample, as_wav
from tests.parts.lent import under_another_name

SECOND = "onnx:t-one"


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with entered([app]), open_http(url=None, app=app) as http:
        yield http


@pytest.fixture
def two_models(settings: Settings) -> Settings:
    """Write files with the names of the files of a second model."""
    directory = settings.models_dir / "onnx--t-one"
    directory.mkdir(parents=True)
    for name in ("model.onnx", "config.json"):
        (directory / name).write_bytes(b"{}")
    return settings.model_copy(update={"model": "embedded", "nn_service": NnServiceSettings(keep_alive_s=0.2)})


def after_a_while(name: str) -> Engine:
    """The embedded model under any name, loaded after the time that real weights need."""
    time.sleep(0.5)
    return under_another_name(name)


async def test_models_come_and_go(two_models: Settings, samples: list[Sample]) -> None:
    """Another model is loaded by a request, listed, and unloaded when it is not used; the default model stays."""
    async with serving(create_app(two_models, key=None, load=under_another_name)) as http:
        listed = (await http.get("/v1/models")).json()["data"]
        assert [(model["id"], model["is_default"], model["is_loaded"]) for model in listed] == [
            ("embedded", True, True),
            (SECOND, False, False),
        ]
        heard = await NnServiceClient(http).transcribe(samples[0].path.read_bytes(), model="t-one")
        assert heard.hypothesis.model == SECOND
        loaded = {model["id"]: model for model in (await http.get("/api/ps")).json()["models"]}
        assert set(loaded) == {"embedded", SECOND}
        assert loaded["embedded"]["expires_at"] is None
        for _ in range(100):
            if len((await http.get("/api/ps")).json()["models"]) == 1:
                return
            await asyncio.sleep(0.1)
    pytest.fail("the model that nobody uses is still loaded after 10 s")


async def test_administrators_load_and_unload(two_models: Settings) -> None:
    async with serving(create_app(two_models, key=None, load=under_another_name)) as http:
        shown = await http.post(f"/api/ps/{SECOND}")
        assert (shown.status_code, shown.json()["id"]) == (200, SECOND)
        assert (await http.delete(f"/api/ps/{SECOND}")).status_code == 204
        assert (await http.delete(f"/api/ps/{SECOND}")).status_code == 404
        for name in ("nobody", "onnx:/etc", "onnx:gigaam-v3-ctc"):
            assert (await http.post(f"/api/ps/{name}")).json()["error"]["code"] == "model_unknown"


async def test_nobody_is_refused_while_the_default_model_changes(two_models: Settings, short_wav: bytes) -> None:
    """Requests continue through six swaps; all are answered, by one of the two models."""
    stop = asyncio.Event()
    async with serving(create_app(two_models, key=None, load=after_a_while)) as http:

        async def keep_asking() -> set[str]:
            seen = set()
            while not stop.is_set():
                seen.add((await NnServiceClient(http).transcribe(short_wav)).hypothesis.model)
            return seen

        asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
        for turn in range(6):
            target = (SECOND, "embedded")[turn % 2]
            swapped = await http.put("/api/ps/auto", json={"model": target})
            assert (swapped.status_code, swapped.json()["is_default"]) == (200, True)
        stop.set()
        assert set().union(*await asyncio.gather(*asking)) <= {"embedded", SECOND}
        assert (await http.get("/api/ps")).json()["in_flight"] == 0


async def test_a_swap_that_fails_is_told_and_harms_nothing(two_models: Settings, samples: list[Sample]) -> None:
    """The second model's files are not a model: the real loader raises an error, and the first model serves on."""
    async with serving(create_app(two_models, key=None)) as http:
        failed = await http.put("/api/ps/auto", json={"model": SECOND})
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "model_load_failed")
        assert (await NnServiceClient(http).transcribe(samples[0].path.read_bytes())).hypothesis.model == "embedded"


async def test_only_administrators_change_models(settings: Settings) -> None:
    """A user's key may list models only; a foreign page changes nothing on a server without keys."""
    key, entry = new_key("anna", "user")
    closed = settings.model_copy(update={"api_keys": str(entry)})
    async with serving(create_app(closed, key=None, load=under_another_name)) as http:
        http.headers["Authorization"] = f"Bearer {key}"
        assert (await http.get("/api/ps")).status_code == 200
        for method in ("POST", "PUT", "DELETE"):
            refused = await http.request(method, "/api/ps/embedded")
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    async with serving(create_app(settings, key=None, load=under_another_name)) as http:
        foreign = await http.post("/api/ps/embedded", headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
        own = await http.post("/api/ps/embedded", headers={"Sec-Fetch-Site": "same-origin"})
        assert own.status_code == 200


async def test_foreign_pages_call_only_if_the_settings_name_them(settings: Settings) -> None:
    """A browser asks first, without a key; without the setting it gets no permission."""
    ask = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    ask["Access-Control-Request-Headers"] = "authorization"
    open_to_one = settings.model_copy(update={"cors_origins": "https://example.org"})
    for chosen, origin in ((open_to_one, "https://example.org"), (settings, None)):
        async with serving(create_app(chosen, key="k" * 20, load=under_another_name)) as http:
            permission = await http.options("/v1/audio/transcriptions", headers=ask)
            assert permission.headers.get("access-control-allow-origin") == origin
    async with serving(create_app(open_to_one, key="k" * 20, load=under_another_name)) as http:
        stranger = await http.options("/v1/models", headers=ask | {"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in stranger.headers
        refused = await http.get("/v1/models", headers={"Origin": "https://example.org"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://example.org")


async def test_a_deadline_ends_a_request(settings: Settings, long_wav: bytes) -> None:
    """The answer is a time-out, and the place in the queue is free again."""
    hasty = settings.model_copy(update={"nn_service": NnServiceSettings(deadline_s=0.3)})
    async with serving(create_app(hasty, key=None, load=under_another_name)) as http:
        late = await http.post("/v1/audio/transcriptions", files={"file": long_wav})
        assert (late.status_code, late.json()["error"]["code"]) == (504, "service_timeout")
        assert (await http.get("/health")).json()["in_flight"] == 0


async def test_long_recordings_leave_room_for_messages(settings: Settings, samples: list[Sample]) -> None:
    """Two long recordings share one slot; messages are answered before the last of them."""
    once = np.concatenate([block for one in samples for block in decode_blocks(one.path.read_bytes(), DecodeLimits())])
    long_wav = as_wav(np.tile(once, 3)[: 65 * 16_000])
    narrow = settings.model_copy(update={"nn_service": NnServiceSettings(workers=1)})
    async with serving(create_app(narrow, key=None, load=under_another_name)) as http:
        client, data = NnServiceClient(http), samples[0].path.read_bytes()
        long = [asyncio.create_task(client.transcribe(long_wav)) for _ in range(2)]
        for _ in range(500):
            if (await http.get("/health")).json()["in_flight"] == 2:
                break
            await asyncio.sleep(0.01)
        for _ in range(3):
            assert (await client.transcribe(data)).hypothesis.text
        assert not all(task.done() for task in long)
        # Decoded anew after waiting for their turn, they must come to the same text as the one that was not.
        texts = [heard.hypothesis.text for heard in await asyncio.gather(*long)]
        assert texts[0] == texts[1]
        assert len(texts[0].split()) > 70


async def test_memory_comes_back(settings: Settings) -> None:
    """After eight copies of the model were unloaded, less than half of their memory is still used."""
    before = resident_bytes()
    if before is None:
        pytest.skip("this system does not tell")
    engines: list[Engine] = []

    def load(name: str) -> Engine:
        class Heavy:
            window_s = 30.0
            abilities = under_another_name("embedded").abilities
            weights: bytearray | None = bytearray(b"w") * 200_000_000

            def __init__(self) -> None:
                self.name = name

            def recognise(self, batch: object, options: object = None) -> list[object]:
                raise NotImplementedError(batch, options)

            def close(self) -> None:
                self.weights = None
                type(self).weights = None

        engines.append(Heavy())  # type: ignore[arg-type]
        return engines[-1]

    async with serving(create_app(settings, key=None, load=load)) as http:
        (model,) = (await http.get("/api/ps")).json()["models"]
        assert model["memory_bytes"] > 150_000_000
        await http.delete("/api/ps/embedded")
        engines.clear()
        gc.collect()
        after = resident_bytes()
        assert after is not None
        assert after - before < 100_000_000
    assert threading.active_count() < 50
