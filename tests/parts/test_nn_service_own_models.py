"""An own model answers if it is requested, loaded and better than the champion; else the champion answers."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.decoding import UNSPECIFIED
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import OwnModel
from glas.engines import Engine
from glas.engines.candidate import CandidateChoice, choose_candidate
from glas.engines.catalogue import AUTO
from glas.engines.load import load_engine
from glas.launch.connections import entered
from glas.nn_service import own_models
from glas.nn_service.app import create_app
from glas.nn_service.service import RecognitionService
from glas.settings import NnServiceSettings, Settings
from tests.conftest import Sample, as_wav
from tests.models.swapped import write_weights
from tests.parts.owned import Models, write_models
from tests.parts.test_versions_at_work import counted


@pytest.fixture
def models(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setattr(own_models, "STAY_S", 0.0)
    return write_models(settings)


@pytest.fixture
def auto(settings: Settings) -> Settings:
    return settings.model_copy(update={"model": AUTO})


@pytest.fixture
def sound(samples: list[Sample]) -> bytes:
    return as_wav(np.concatenate(list(decode_blocks(samples[0].path.read_bytes(), DecodeLimits())))[:24_000])


def limited(settings: Settings, most: int) -> Settings:
    return settings.model_copy(update={"nn_service": NnServiceSettings(max_own_models=most)})


async def answered_by(client: NnServiceClient, sound: bytes, own: OwnModel | None) -> ModelRef:
    heard = (await client.transcribe(sound, own=own)).hypothesis
    return ModelRef(name=heard.model, version=heard.model_version or "")


async def until_answered(client: NnServiceClient, sound: bytes, own: OwnModel, by: ModelRef) -> int:
    """Send requests until a model answers; return how often other models answered before."""
    for number in range(100):
        if await answered_by(client, sound, own) == by:
            return number
        await asyncio.sleep(0.1)
    pytest.fail(f"after 10 s {by} does not answer")


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(100):
        if is_so():
            return
        await asyncio.sleep(0.1)
    pytest.fail("after 10 s it is not so")


def missed(metrics: str) -> float:
    return float(metrics.partition("\nglas_recognition_own_models_missed_total ")[2].split()[0])


async def test_everybody_is_answered_by_their_own(auto: Settings, models: Models, sound: bytes) -> None:
    """Nobody waits for loading; header, health and text name one model; metrics have one label."""
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        assert await answered_by(client, sound, models.first) == models.champion, "it is not loaded yet"
        n_others = 1 + await until_answered(client, sound, models.first, models.first.model)
        n_others += await until_answered(client, sound, models.second, models.second.model)
        asked = [models.first, models.second, None] * 4
        told = await asyncio.gather(*(answered_by(client, sound, own) for own in asked))
        assert told == [own.model if own else models.champion for own in asked]
        for own, by in ((models.first, models.first.model), (None, models.champion)):
            assert (await client.health(own=own)).served == by
        named = await client.transcribe(sound, model=models.champion.name, own=models.first)
        assert named.hypothesis.model == models.champion.name, "whoever names a model gets it"
        form = {"own_model": str(models.first.model), "instead_of": models.first.instead_of, "response_format": "text"}
        answer = await http.post("/v1/audio/transcriptions", data=form, files={"file": ("a.wav", sound)})
        assert answer.headers["X-Glas-Model"] == str(models.first.model)
        metrics = (await http.get("/metrics")).text
        assert missed(metrics) == n_others
        assert 'glas_recognition_recordings_total{model="own",version=""} 11.0' in metrics
        assert counted(metrics, models.champion.name) == {models.champion.version: n_others + 5}
        assert "glas_recognition_own_models_loaded 2.0" in metrics
        listed = (await http.get("/v1/models")).text
    assert models.first.model.name not in listed + metrics, "nobody else sees it"


async def test_it_is_loaded_once(auto: Settings, models: Models, sound: bytes) -> None:
    """This is also true if it is requested again while it is loaded."""
    loads = list[str]()

    def load(name: str) -> Engine:
        loads.append(name)
        if name == models.first.model.name:
            time.sleep(1)  # as long as a large one takes
        return load_engine(name, models_dir=auto.models_dir)

    app = create_app(limited(auto, 1), key=None, load=load)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        await until_answered(client, sound, models.first, models.first.model)
        for _ in range(20):
            assert await answered_by(client, sound, models.first) == models.first.model
            await asyncio.sleep(0.1)
    assert loads == [models.champion.name, models.first.model.name]


async def test_with_room_for_one_the_last_one_stays(auto: Settings, models: Models, sound: bytes) -> None:
    """A model in use stays, and another person is answered by the champion meanwhile."""
    app = create_app(limited(auto, 1), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client, service = NnServiceClient(http), app.state.service
        assert isinstance(service, RecognitionService)
        await until_answered(client, sound, models.first, models.first.model)
        with service.own_models.lease(models.first, UNSPECIFIED) as leased:
            assert leased is not None
            for _ in range(3):
                assert await answered_by(client, sound, models.second) == models.champion
                await asyncio.sleep(1)
            assert await answered_by(client, sound, models.first) == models.first.model
        await until_answered(client, sound, models.second, models.second.model)
        assert service.own_models.n_loaded == 1
        assert await answered_by(client, sound, models.first) == models.champion


async def test_one_that_was_just_used_makes_no_room(
    auto: Settings, models: Models, sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise two people in turn would cause two models to be loaded again and again."""
    monkeypatch.setattr(own_models, "STAY_S", 30.0)
    app = create_app(limited(auto, 1), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        await until_answered(client, sound, models.first, models.first.model)
        for _ in range(3):
            assert await answered_by(client, sound, models.second) == models.champion
            assert await answered_by(client, sound, models.first) == models.first.model
            await asyncio.sleep(1)


async def test_it_answers_in_place_of_one_champion(auto: Settings, models: Models, sound: bytes) -> None:
    """Another champion may be better; the candidate answers only if there is no own model."""
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client, service = NnServiceClient(http), app.state.service
        await until_answered(client, sound, models.first, models.first.model)
        choose_candidate(CandidateChoice(model=models.second.model.name, share=1), auto.models_dir)
        await until(lambda: service.canary.tried is not None)
        for own, by in ((models.first, models.first.model), (None, models.second.model)):
            heard = (await client.transcribe(sound, bucket=0, own=own)).hypothesis
            assert (heard.model, heard.model_version) == (by.name, by.version)
        await client.serve(models.second.model.name)
        assert await answered_by(client, sound, models.first) == models.second.model
        await until(lambda: service.own_models.n_loaded == 0)
        await client.serve(models.champion.name)
        await until_answered(client, sound, models.first, models.first.model)


async def test_one_that_cannot_be_used_is_nobodys_error(auto: Settings, models: Models, sound: bytes) -> None:
    """It is missing, has other weights, is damaged, is outside, or is deleted while it serves."""
    place = Path(models.second.model.name.partition(":")[2])
    outside = write_outside(auto, models.second)
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client, service = NnServiceClient(http), app.state.service
        await until_answered(client, sound, models.first, models.first.model)
        nobody = models.first.model_copy(update={"model": ModelRef(name="onnx:/models/nobody", version="0" * 12)})
        other = models.second.model_copy(update={"model": models.second.model.model_copy(update={"version": "0" * 12})})
        for one in (nobody, other, outside):
            assert await answered_by(client, sound, one) == models.champion
            await asyncio.sleep(1.5)
            assert await answered_by(client, sound, one) == models.champion
        shutil.rmtree(Path(models.first.model.name.partition(":")[2]))
        await until(lambda: service.own_models.n_loaded == 0)
        assert await answered_by(client, sound, models.first) == models.champion
        for path in await asyncio.to_thread(lambda: list(place.iterdir())):
            path.write_bytes(b"damaged")
        assert await answered_by(client, sound, models.second) == models.champion
        await asyncio.sleep(1.5)
        assert await answered_by(client, sound, models.second) == models.champion
        assert missed((await http.get("/metrics")).text) >= 9


def write_outside(settings: Settings, own: OwnModel) -> OwnModel:
    """Write an own model with good weights outside the directory of models."""
    write_weights(settings.data_dir / "outside", 2)
    name = f"onnx:{(settings.data_dir / 'outside').resolve()}"
    return own.model_copy(update={"model": own.model.model_copy(update={"name": name})})


@pytest.mark.parametrize("change", [{"model": "champion"}, {"nn_service": NnServiceSettings(max_own_models=0)}])
async def test_they_can_be_switched_off(
    auto: Settings, models: Models, sound: bytes, change: dict[str, object]
) -> None:
    """A setting switches them off, and so does a GLAS_MODEL that names a model."""
    change = {name: models.champion.name if value == "champion" else value for name, value in change.items()}
    app = create_app(auto.model_copy(update=change), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        for _ in range(3):
            assert await answered_by(client, sound, models.first) == models.champion
            await asyncio.sleep(0.8)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("field", [{"own_model": "x"}, {"own_model": "a@XYZ"}, {"instead_of": "0"}])
async def test_other_words_are_no_own_models(auto: Settings, sound: bytes, field: dict[str, str]) -> None:
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        for answer in (
            await http.post("/v1/audio/transcriptions", data=field, files={"file": ("a.wav", sound)}),
            await http.get("/health", params=field),
        ):
            assert answer.status_code == httpx.codes.BAD_REQUEST
            assert answer.json()["error"]["param"] == next(iter(field))
