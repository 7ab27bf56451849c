"""Download models while nn_service runs: from a test hub, with progress, and served without a restart."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from glas.clients.http import open_http
from glas.engines.catalogue import local_directory, resolve
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import Settings
from glas.settings.keys import new_key
from tests.models.gigaam_layout import gigaam_ctc
from tests.models.hub_server import Hub, files_of, serving
from tests.parts.lent import embedded_if_asked_for, under_another_name

MODEL = "onnx:gigaam-v3-ctc"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The repository of GigaAM v3, with a tiny model that loads."""
    files = files_of(gigaam_ctc(tmp_path / "repository", int8_says=("б", "в", "а")))
    with serving(Hub("istupakov/gigaam-v3-onnx", files)) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("PIP_INDEX_URL", served.address)
        yield served


@asynccontextmanager
async def running(settings: Settings, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An app that loads what it fetches; the embedded model is lent to it."""
    load = options.pop("load", partial(embedded_if_asked_for, settings.models_dir))
    app = create_app(settings, key=options.pop("key", None), load=load, **options)
    async with entered([app]), open_http(url=None, app=app) as http:
        yield http


async def offer(http: httpx.AsyncClient, name: str = MODEL) -> dict[str, Any]:
    body = (await http.get("/api/models")).json()
    return next(model for model in body["models"] if model["id"] == name)


async def ended(http: httpx.AsyncClient, name: str = MODEL) -> dict[str, Any]:
    """Return the state of a model when its download has ended."""
    deadline = time.monotonic() + 30
    while True:
        found = await offer(http, name)
        if found["fetch"] and found["fetch"]["state"] not in ("fetching", "loading"):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)


async def test_a_model_is_fetched_and_serves_without_a_restart(hub: Hub, settings: Settings) -> None:
    async with running(settings) as http:
        before = (await http.get("/api/models")).json()["models"]
        assert before[0]["id"] == "onnx:gigaam-v3-e2e-rnnt", "the best one first"
        assert [model["id"] for model in before if model["is_on_disk"]] == ["embedded"]
        begun = await http.post(f"/api/fetches/{MODEL}", json={"serve": True})
        assert (begun.status_code, begun.json()["id"]) == (202, MODEL)
        found = await ended(http)
        size = sum(len(content) for content in hub.files.values()) - len(hub.files["v3_ctc.onnx"])
        assert found["fetch"] == {
            "id": MODEL,
            "state": "done",
            "serve": True,
            "done_bytes": size,
            "total_bytes": size,
            "error": None,
            "survives_restart": True,
        }
        assert (found["is_on_disk"], found["is_default"]) == (True, True)
        health = (await http.get("/health")).json()
        assert (health["model"], health["title"]["ru"]) == (MODEL, "GigaAM v3")
        assert (await http.get(f"/v1/models/{MODEL}")).json()["title"] == {"ru": "GigaAM v3", "en": "GigaAM v3"}
    assert resolve(settings.model, settings.models_dir) == MODEL, "so does the next start"


async def test_a_choice_of_a_weaker_model_outlives_a_restart(hub: Hub, settings: Settings) -> None:
    async with running(settings) as http:
        await http.post(f"/api/fetches/{MODEL}")
        assert (await ended(http))["is_default"] is False, "it was only to be fetched"
        swapped = await http.put("/api/ps/auto", json={"model": MODEL})
        assert swapped.json()["survives_restart"] is True
        back = await http.put("/api/ps/auto", json={"model": "embedded"})
        assert back.json()["survives_restart"] is True
    async with running(settings) as http:
        assert (await http.get("/health")).json()["model"] == "embedded"
    named = settings.model_copy(update={"model": MODEL})
    async with running(named) as http:
        assert (await http.get("/health")).json()["model"] == MODEL
        asked = (await http.put("/api/ps/auto", json={"model": "embedded"})).json()
        assert asked["survives_restart"] is False, "the settings name another one"
    assert hub.requests


async def test_what_cannot_be_fetched_says_why_and_harms_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    async with running(settings) as http:
        await http.post(f"/api/fetches/{MODEL}", json={"serve": True})
        fetch = (await ended(http))["fetch"]
        assert (fetch["state"], fetch["error"]["code"]) == ("failed", "hub_unreachable")
        assert str(local_directory(settings.models_dir, MODEL)) in fetch["error"]["message"]
        assert (await http.get("/health")).json()["model"] == "embedded"


async def test_weights_that_do_not_load_do_not_serve(hub: Hub, settings: Settings) -> None:
    hub.files["v3_ctc.int8.onnx"] = b"no network"
    async with running(settings) as http:
        await http.post(f"/api/fetches/{MODEL}", json={"serve": True})
        fetch = (await ended(http))["fetch"]
        assert (fetch["state"], fetch["error"]["code"]) == ("failed", "model_load_failed")
        assert (await http.get("/health")).json()["model"] == "embedded"
    assert not (settings.models_dir / "champion").exists()


async def test_one_at_a_time_and_it_can_be_stopped(hub: Hub, settings: Settings) -> None:
    hub.pause = threading.Event()
    async with running(settings) as http:
        assert (await http.post("/api/fetches/nobody")).json()["error"]["code"] == "model_unknown"
        assert (await http.delete(f"/api/fetches/{MODEL}")).status_code == 404
        await http.post(f"/api/fetches/{MODEL}")
        again = await http.post("/api/fetches/gigaam-v3-ctc", json={"serve": True})
        assert (again.status_code, again.json()["serve"]) == (202, True)
        other = await http.post("/api/fetches/t-one")
        assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
        assert (await http.delete(f"/api/fetches/{MODEL}")).status_code == 204
        hub.pause.set()
        assert (await ended(http))["fetch"]["state"] == "stopped"
        await http.post(f"/api/fetches/{MODEL}")
        assert (await ended(http))["fetch"]["state"] == "done"


async def test_a_directory_that_cannot_be_written_is_told(hub: Hub, settings: Settings) -> None:
    if os.geteuid() == 0:
        settings.models_dir.parent.mkdir(parents=True)
        settings.models_dir.write_text("a file in its place", encoding="utf-8")
    async with running(settings) as http:
        await http.post(f"/api/fetches/{MODEL}", json={"serve": True})
        fetch = (await ended(http))["fetch"]
        assert (fetch["state"], fetch["error"]["code"]) == ("failed", "model_error")
        assert "cannot be written" in fetch["error"]["message"]
        kept = (await http.put("/api/ps/auto", json={"model": "embedded"})).json()
        assert kept["survives_restart"] is False
    assert hub.requests == []


async def test_only_administrators_see_and_fetch(settings: Settings) -> None:
    """A user's key is refused; without keys, a foreign page and a request through a proxy are refused."""
    key, entry = new_key("anna", "user")
    own, own_entry = new_key("boss", "admin")
    closed = settings.model_copy(update={"api_keys": f"{entry},{own_entry}"})
    async with running(closed) as http:
        for given, status in (({}, 401), ({"Authorization": f"Bearer {key}"}, 403)):
            assert (await http.get("/api/models", headers=given)).status_code == status
            assert (await http.post(f"/api/fetches/{MODEL}", headers=given)).status_code == status
        allowed = {"Authorization": f"Bearer {own}", "X-Forwarded-For": "203.0.113.9"}
        assert (await http.get("/api/models", headers=allowed)).status_code == 200
    async with running(settings) as http:
        for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=a"}):
            assert (await http.get("/api/models", headers=foreign)).status_code == 403
            assert (await http.post(f"/api/fetches/{MODEL}", headers=foreign)).status_code == 403
            assert (await http.put("/api/ps/auto", headers=foreign)).status_code == 403
            assert (await http.get("/v1/models", headers=foreign)).status_code == 200


async def test_a_directory_of_ones_own_is_named_without_its_path(settings: Settings, tmp_path: Path) -> None:
    own = tmp_path / "secret" / "learnt"
    own.mkdir(parents=True)
    named = settings.model_copy(update={"model": f"onnx:{own}"})
    async with running(named, load=under_another_name) as http:
        title = (await http.get("/health")).json()["title"]
    assert title == {"ru": "своя модель «learnt»", "en": "own model “learnt”"}
