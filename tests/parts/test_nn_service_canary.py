"""A candidate answers the same share of people each time, is named everywhere, and is taken back without a refusal."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.canary import N_BUCKETS, chosen_buckets
from glas.domain.errors import GlasError, UnknownModelError
from glas.engines.candidate import CandidateChoice, choose_candidate, chosen_candidate, end_candidate
from glas.engines.catalogue import AUTO
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.settings import Settings
from glas.settings.keys import new_key
from tests.models.swapped import write_two
from tests.parts.test_versions_at_work import counted

SHARE = 0.3


@pytest.fixture
def models(settings: Settings) -> list[str]:
    """Uniform names of two small models: the champion and a candidate."""
    return write_two(settings.models_dir)


@pytest.fixture
def auto(settings: Settings) -> Settings:
    return settings.model_copy(update={"model": AUTO})


async def until(client: NnServiceClient, is_so: Callable[[str | None], bool]) -> None:
    """Wait until the expected candidate is tried."""
    for _ in range(100):
        tried = await client.candidate()
        if is_so(None if tried is None else tried.model):
            return
        await asyncio.sleep(0.1)
    pytest.fail("10 s after the choice another candidate is tried")


async def test_a_share_of_people_is_answered_by_the_candidate(
    auto: Settings, models: list[str], short_wav: bytes
) -> None:
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        assert await client.candidate() is None
        choose_candidate(CandidateChoice(model=models[1], share=SHARE), auto.models_dir)
        await until(client, lambda model: model == models[1])
        mine, told = chosen_buckets(models[1], SHARE), Counter[str]()
        for bucket in [*range(0, N_BUCKETS, 4)] * 2:
            heard = (await client.transcribe(short_wav, bucket=bucket)).hypothesis
            served = await client.health(bucket=bucket)
            assert heard.model == models[bucket in mine]
            assert (heard.model, heard.model_version) == (served.model, served.model_version)
            told[heard.model_version or ""] += 1
        for name in (AUTO, "whisper-1", models[0]):  # without a bucket, or with the name of a model
            heard = (await client.transcribe(short_wav, model=name)).hypothesis
            assert heard.model == models[0]
            told[heard.model_version or ""] += 1
        bucket = min(mine)
        named = (await client.transcribe(short_wav, model=models[0], bucket=bucket)).hypothesis
        assert named.model == models[0]
        told[named.model_version or ""] += 1
        form = {"bucket": str(bucket), "response_format": "text"}
        answer = await http.post("/v1/audio/transcriptions", data=form, files={"file": ("a.wav", short_wav)})
        assert answer.headers["X-Glas-Model"].startswith(models[1])
        told[answer.headers["X-Glas-Model"].rpartition("@")[2]] += 1
        metrics = (await http.get("/metrics")).text
    assert told == counted(metrics, models[0]) | counted(metrics, models[1])


async def test_it_is_taken_back_while_people_are_answered(auto: Settings, models: list[str], short_wav: bytes) -> None:
    """No request fails, and afterwards the champion answers everybody."""
    app, failures, met, ended = create_app(auto, key=None), list[GlasError](), asyncio.Event(), asyncio.Event()
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)

        async def ask(bucket: int) -> None:
            while not ended.is_set():
                try:
                    if (await client.transcribe(short_wav, bucket=bucket)).hypothesis.model == models[1]:
                        met.set()
                except GlasError as error:
                    failures.append(error)

        callers = [asyncio.create_task(ask(bucket)) for bucket in range(0, N_BUCKETS, 10)]
        for _ in range(2):
            choose_candidate(CandidateChoice(model=models[1], share=1), auto.models_dir)
            await until(client, lambda model: model == models[1])
            await met.wait()
            await client.take_candidate_back()
            assert await client.candidate() is None
            assert chosen_candidate(auto.models_dir) is None
            met.clear()
        ended.set()
        await asyncio.gather(*callers)
        assert (await client.transcribe(short_wav, bucket=0)).hypothesis.model == models[0]
        with pytest.raises(UnknownModelError):
            await client.transcribe(short_wav, model="candidate")
    assert failures == []


async def test_a_candidate_that_cannot_be_used_answers_nobody(
    auto: Settings, models: list[str], short_wav: bytes
) -> None:
    """It cannot be loaded, is the champion already, or its files have been deleted."""
    app, place = create_app(auto, key=None), Path(models[1].partition(":")[2])
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        choose_candidate(CandidateChoice(model=models[0], share=1), auto.models_dir)
        await asyncio.sleep(1.5)
        assert await client.candidate() is None
        choose_candidate(CandidateChoice(model=models[1], share=1), auto.models_dir)
        await until(client, lambda model: model == models[1])
        for path in await asyncio.to_thread(lambda: list(place.iterdir())):
            path.write_bytes(b"damaged")
        (await http.delete(f"/api/ps/{models[1]}")).raise_for_status()
        assert (await client.transcribe(short_wav, bucket=0)).hypothesis.model == models[0]
        end_candidate(auto.models_dir)
        await until(client, lambda model: model is None)
        choose_candidate(CandidateChoice(model=models[1], share=1), auto.models_dir)
        await asyncio.sleep(1.5)
        assert await client.candidate() is None
        assert (await client.transcribe(short_wav, bucket=0)).hypothesis.model == models[0]


async def test_one_that_was_promoted_is_not_tried_after_a_roll_back(auto: Settings, models: list[str]) -> None:
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        choose_candidate(CandidateChoice(model=models[1], share=1), auto.models_dir)
        await until(client, lambda model: model == models[1])
        for name in (models[1], models[0]):
            await client.serve(name)
            await until(client, lambda model: model is None)
            await asyncio.sleep(1.5)
        assert await client.candidate() is None
        assert chosen_candidate(auto.models_dir) is None


async def test_a_named_model_answers_everybody(settings: Settings, models: list[str], short_wav: bytes) -> None:
    """If GLAS_MODEL names a model, only this model answers."""
    choose_candidate(CandidateChoice(model=models[1], share=1), settings.models_dir)
    app = create_app(settings.model_copy(update={"model": models[0]}), key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        client = NnServiceClient(http)
        await asyncio.sleep(1.5)
        assert await client.candidate() is None
        assert (await client.transcribe(short_wav, bucket=0)).hypothesis.model == models[0]


async def test_only_administrators_take_it_back(auto: Settings, models: list[str]) -> None:
    choose_candidate(CandidateChoice(model=models[1], share=1), auto.models_dir)
    key, entry = new_key("somebody", "user")
    own = auto.model_copy(update={"api_keys": str(entry)})
    app = create_app(own, key="k" * 40)
    async with entered([app]), open_http(url=None, app=app) as http:
        answer = await http.delete("/api/candidate", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert chosen_candidate(auto.models_dir) is not None


@pytest.mark.parametrize("bucket", ["-1", "100", "x", ""])
@pytest.mark.usefixtures("models")
async def test_other_numbers_are_no_buckets(auto: Settings, short_wav: bytes, bucket: str) -> None:
    app = create_app(auto, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        files = {"file": ("a.wav", short_wav)}
        answer = await http.post("/v1/audio/transcriptions", data={"bucket": bucket}, files=files)
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert answer.json()["error"]["param"] == "bucket"
