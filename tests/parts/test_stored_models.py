"""Test models in the object store: a server without the directory of models fetches the champion and serves it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from glas.cli.stored_models import store
from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.model_record_bodies import ChoiceRequest
from glas.clients.nn_service import NnServiceClient
from glas.clients.stored_model_bodies import ModelFile, ModelFiles
from glas.data_loader.app import create_app as create_data_loader
from glas.domain.errors import (
    ConflictError,
    ForbiddenError,
    GlasError,
    InvalidParameterError,
    NotFoundError,
    ServiceFaultError,
)
from glas.domain.model_ref import ModelRef
from glas.engines.catalogue import AUTO, choose, made_here
from glas.engines.versions import ModelVersions
from glas.launch.assembly import open_db_assist
from glas.launch.connections import entered
from glas.nn_service.app import create_app as create_nn_service
from glas.settings import DataLoaderSettings, Settings
from tests.conftest import Sample
from tests.models.swapped import write_two
from tests.parts.test_data_loader import KEY, listening
from tests.parts.test_data_loader import store_settings as store_settings  # noqa: PLC0414 - a fixture
from tests.parts.test_nn_service_follows import until_default

MODELS_KEY = "a-key-that-only-reads-models-1234567"
DATA_LOADER = DataLoaderSettings(models_token=SecretStr(MODELS_KEY))


class Central(NamedTuple):
    """The central machine.

    Attributes:
        settings: its settings.
        db_assist: knows which model serves.
        url: address of its data_loader.
        owner: client of data_loader with all rights.
        reader: client of data_loader with the token of a server of nn_service.
        models: two small models in its directory of models.
    """

    settings: Settings
    db_assist: DbAssistClient
    url: str
    owner: DataLoaderClient
    reader: DataLoaderClient
    models: list[ModelRef]

    async def make_champion(self, model: ModelRef, former: ModelRef) -> None:
        """Store a model, and record it as the champion, as `glas models use` does."""
        await self.owner.store_model(model.version, directory_of(model))
        await self.db_assist.choose_model(ChoiceRequest(model=model, former=former, operator="anna"))


@pytest.fixture
async def central(store_settings: Settings) -> AsyncIterator[Central]:
    settings = store_settings.model_copy(update={"data_loader": DATA_LOADER})
    write_two(settings.models_dir)
    # The servers below have two models of the other names.
    places = [(settings.models_dir / f"small-{turn}").rename(settings.models_dir / f"learnt-{turn}") for turn in (0, 1)]
    for place in places:  # tests share the S3 server, so each has models of other versions
        (place / "note.json").write_text(json.dumps(str(settings.data_dir)), encoding="utf-8")
    versions = ModelVersions(settings.models_dir)
    models = [ModelRef(name=f"onnx:{place.resolve()}", version=versions.version_in(place)) for place in places]
    async with open_db_assist(settings) as db_assist:
        app = create_data_loader(settings, key=KEY, db_assist=db_assist)
        async with (
            entered([app]),
            listening(app) as url,
            open_http(url=url, token=KEY) as owner,
            open_http(url=url, token=MODELS_KEY) as reader,
        ):
            yield Central(settings, db_assist, url, DataLoaderClient(owner), DataLoaderClient(reader), models)


def directory_of(model: ModelRef) -> Path:
    return Path(model.name.partition(":")[2])


def made_name(model: ModelRef, settings: Settings) -> str:
    """Return the name of a model on another machine."""
    return f"onnx:{(settings.models_dir / directory_of(model).name).resolve()}"


@asynccontextmanager
async def replica(url: str, data_dir: Path) -> AsyncIterator[tuple[NnServiceClient, Settings]]:
    """A server of nn_service with a directory of models of its own, in which another model serves."""
    settings = Settings(_env_file=None, data_dir=data_dir, model=AUTO, data_loader_url=url, data_loader=DATA_LOADER)
    choose(write_two(settings.models_dir)[0], settings.models_dir)
    app = create_nn_service(settings, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        yield NnServiceClient(http), settings


async def test_a_stored_model_is_fetched_whole(central: Central, tmp_path: Path) -> None:
    model = central.models[0]
    with pytest.raises(NotFoundError):
        await central.reader.fetch_model(model.version, tmp_path)
    (directory_of(model) / ".draft").write_text("not sent", encoding="utf-8")
    for _ in range(2):
        await central.owner.store_model(model.version, directory_of(model))
    await central.reader.fetch_model(model.version, tmp_path / "fetched")
    assert ModelVersions(tmp_path).version_in(tmp_path / "fetched") == model.version
    assert not (tmp_path / "fetched" / ".draft").exists()


async def test_commands_store_a_model_only_for_servers_that_fetch_models(central: Central) -> None:
    model = central.models[0]
    settings = central.settings.model_copy(
        update={
            "data_loader_url": central.url,
            "data_loader_token": SecretStr(KEY),
            "data_loader": DataLoaderSettings(),
        }
    )
    await asyncio.to_thread(store, settings, model)
    with pytest.raises(NotFoundError):
        await central.reader.stored_files(model.version)
    await asyncio.to_thread(store, settings.model_copy(update={"data_loader": DATA_LOADER}), model)
    assert (await central.reader.stored_files(model.version)).files


async def test_only_whole_models_can_be_stored(central: Central) -> None:
    version, sha256 = "0" * 12, "1" * 64
    async with open_http(url=central.url, token=KEY) as http:
        wrong = await http.put(f"/models/{version}/parts/{sha256}", content=b"other bytes")
        files = ModelFiles(files=(ModelFile(path="model.bin", parts=(sha256,)),))
        early = await http.put(f"/models/{version}", json=files.model_dump())
        outside = await http.put(f"/models/{version}", json={"files": [{"path": "../champion", "parts": []}]})
    assert [one.status_code for one in (wrong, early, outside)] == [
        InvalidParameterError.status, ConflictError.status, InvalidParameterError.status
    ]  # fmt: skip
    with pytest.raises(NotFoundError):
        await central.owner.fetch_model(version, Path("/nowhere"))


async def test_the_token_for_models_permits_nothing_else(central: Central) -> None:
    await central.owner.store_transcription(71_001, "личное")
    reader, model = central.reader, central.models[0]
    for asking in (
        reader.fetch_transcription("71001/71001_transcription.txt"),
        reader.store_model(model.version, directory_of(model)),
        reader.reports(),
        reader.export_now(),
        reader.delete(71_001),
    ):
        with pytest.raises(ForbiddenError):
            await asking
    assert (await reader.serving_models()).champion is None


async def test_a_server_without_the_directory_follows_the_champion(
    central: Central, samples: list[Sample], tmp_path: Path
) -> None:
    first, second = central.models
    await central.make_champion(first, second)
    sound, failures, ended = samples[0].path.read_bytes(), list[GlasError](), asyncio.Event()
    async with replica(central.url, tmp_path / "replica") as (client, settings):

        async def ask() -> None:
            while not ended.is_set():
                try:
                    await client.transcribe(sound)
                except GlasError as error:
                    failures.append(error)

        callers = [asyncio.create_task(ask()) for _ in range(4)]
        for champion, former in ((first, second), (second, first)):
            await central.make_champion(champion, former)
            await until_default(client, made_name(champion, settings))
            assert (await client.health()).model_version == champion.version
        ended.set()
        await asyncio.gather(*callers)
    assert failures == []


async def test_a_damaged_model_does_not_serve(central: Central, tmp_path: Path) -> None:
    if central.settings.s3_endpoint is not None:
        pytest.skip("only in a directory can a test change the bytes of an object")
    first, second = central.models
    await central.make_champion(first, second)
    async with replica(central.url, tmp_path / "replica") as (client, settings):
        await until_default(client, made_name(first, settings))
        await central.owner.store_model(second.version, directory_of(second))
        parts = central.settings.data_dir / "s3" / "models" / second.version
        largest = max(parts.iterdir(), key=lambda path: path.stat().st_size)
        largest.write_bytes(largest.read_bytes()[:-1] + b"?")
        with pytest.raises(ServiceFaultError, match="expected the part"):
            await central.owner.fetch_model(second.version, tmp_path / "damaged")
        choice = ChoiceRequest(model=second, former=first, operator="anna")
        await central.db_assist.choose_model(choice)
        await asyncio.sleep(3)
        assert (await client.health()).model_version == first.version
        assert made_here(second.name, settings.models_dir) is None
