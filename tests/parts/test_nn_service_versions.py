"""Versions of models over HTTP: every answer names the weights that made it, also during swaps under one name.

`make test` swaps three times, `make whole` six times.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.model_ref import ModelRef
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import NnServiceSettings, Settings
from tests.conftest import Sample
from tests.models.swapped import write_weights

CALLERS, SWAPS = 16, 6 if "WHOLE_SETS" in os.environ else 3


class Told(NamedTuple):
    """One answer: the times of request and answer, the text, and the version of the weights."""

    asked_s: float
    came_s: float
    text: str
    version: str


class Swap(NamedTuple):
    """New weights: the time of the request, the time at which they served, and their version."""

    began_s: float
    told_s: float
    version: str


async def grown(told: Sequence[Told], size: int) -> None:
    """Wait until there is a number of answers."""
    for _ in range(6000):
        if len(told) >= size:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the callers got no answers for a minute")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write_weights(tmp_path / "tiny", 0)
    return tmp_path / "tiny"


@asynccontextmanager
async def serving(settings: Settings, weights: Path) -> AsyncIterator[httpx.AsyncClient]:
    narrow = NnServiceSettings(max_models=1, queue_size=64)
    app = create_app(settings.model_copy(update={"model": f"onnx:{weights}", "nn_service": narrow}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        yield http


async def test_every_answer_names_the_weights(settings: Settings, weights: Path, samples: list[Sample]) -> None:
    """Header, answer, health, lists and metrics name the same version, before and after a swap."""
    file, seen = {"file": samples[0].path.read_bytes()}, []
    async with serving(settings, weights) as http:
        for turn in range(2):
            if turn:
                write_weights(weights, turn)
                swapped = (await http.put("/api/ps/auto")).raise_for_status().json()
            health = (await http.get("/health")).json()
            model = ModelRef(name=health["model"], version=health["model_version"])
            seen.append(model)
            for form in ("json", "text", "srt", "vtt", "verbose_json"):
                answer = await http.post("/v1/audio/transcriptions", files=file, data={"response_format": form})
                assert answer.headers["X-Glas-Model"] == str(model)
            assert (answer.json()["model"], answer.json()["model_version"]) == (model.name, model.version)
            assert (await http.post("/predict", files=file)).headers["X-Glas-Model"] == str(model)
            events = await http.post(
                "/v1/audio/transcriptions", files=file, data={"stream": "true", "response_format": "verbose_json"}
            )
            assert f'"model_version": "{model.version}"' in events.text
            assert (await http.get("/v1/models")).json()["data"][0]["version"] == model.version
            assert [one["version"] for one in (await http.get("/api/ps")).json()["models"]] == [model.version]
            counted = f'glas_recognition_recordings_total{{model="{model.name}",version="{model.version}"}} 7.0'
            assert counted in (await http.get("/metrics")).text
    assert swapped["version"] == seen[1].version != seen[0].version
    assert seen[0].name == seen[1].name


async def test_weights_are_swapped_under_one_name_while_sixteen_callers_ask(
    settings: Settings, weights: Path, samples: list[Sample]
) -> None:
    """No request fails; each text belongs to its version; no later request gets older weights."""
    data, stop, told = samples[0].path.read_bytes(), asyncio.Event(), list[Told]()
    async with serving(settings, weights) as http:
        client = NnServiceClient(http)
        first = (await client.transcribe(data)).hypothesis

        async def keep_asking() -> None:
            while not stop.is_set():
                asked_s = time.monotonic()
                heard = (await client.transcribe(data)).hypothesis
                told.append(Told(asked_s, time.monotonic(), heard.text, heard.model_version or ""))

        asking = [asyncio.create_task(keep_asking()) for _ in range(CALLERS)]
        swaps = [Swap(0.0, 0.0, str(first.model_version))]
        for turn in range(1, SWAPS + 1):
            await grown(told, len(told) + CALLERS)
            write_weights(weights, turn)
            began_s = time.monotonic()
            version = (await http.put("/api/ps/auto")).raise_for_status().json()["version"]
            swaps.append(Swap(began_s, time.monotonic(), version))
        stop.set()
        await asyncio.gather(*asking)
        assert len((await http.get("/api/ps")).json()["models"]) == 1
    texts = {one.version: one.text for one in told} | {str(first.model_version): first.text}
    assert len(set(texts.values())) == len(texts) == 3
    assert all(one.text == texts[one.version] for one in told)
    for one in told:
        # The version that was told last before it was asked for, or one whose swap began before it came.
        last = max(index for index, swap in enumerate(swaps) if swap.told_s <= one.asked_s)
        assert one.version in {swap.version for swap in swaps[last:] if swap.began_s <= one.came_s}


async def test_an_alias_serves_the_model_that_it_means(
    settings: Settings, weights: Path, samples: list[Sample]
) -> None:
    """New aliases are made by a swap, are listed, and cannot have the name of a model."""
    file = {"file": samples[0].path.read_bytes()}
    async with serving(settings, weights) as http:
        unknown = await http.post("/v1/audio/transcriptions", files=file, data={"model": "candidate"})
        assert unknown.json()["error"]["code"] == "model_unknown"
        made = await http.put("/api/ps/candidate", json={"model": "auto"})
        assert (made.status_code, made.json()["aliases"]) == (200, ["auto", "candidate"])
        for name in ("candidate", "champion"):
            answer = await http.post("/v1/audio/transcriptions", files=file, data={"model": name})
            assert answer.headers["X-Glas-Model"].startswith(f"onnx:{weights}@")
        refused = await http.put("/api/ps/embedded", json={"model": "auto"})
        assert (refused.status_code, refused.json()["error"]["param"]) == (409, "name")
        full = await http.put("/api/ps/candidate", json={"model": "embedded"})
        assert (full.status_code, full.json()["error"]["code"]) == (503, "overloaded")
