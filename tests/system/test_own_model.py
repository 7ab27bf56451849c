"""Test a model for one person, made of real weights: the gate, `glas promote`, and its use by the server."""

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from glas.cli import app as cli
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import OwnModel, answering
from glas.engines.catalogue import choose, embedded_directory, named_champion
from glas.launch.assembly import open_db_assist
from glas.launch.connections import entered
from glas.nn_service.app import create_app
from glas.recognition import cost, trial
from glas.recognition.lineage import Lineage, write_lineage
from glas.settings import Settings
from tests.conftest import Sample, Server
from tests.parts.owned import write_models
from tests.system.refused_models import unchanged, without_words, write_changed

PERSON = 5_770_000_001
LINEAGE = Lineage(base=ModelRef(name="embedded", version="0" * 12), recordings=(), texts=(), recipe={}, result={})


def write_data(folder: Path, samples: list[Sample]) -> Path:
    """Write recordings of the person with their right words."""
    folder.mkdir()
    for one in samples:
        shutil.copyfile(one.path, folder / one.path.name)
    rows = [{"file_name": one.path.name, "text": one.text} for one in samples]
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def promote(model: Path, data: Path, *options: str) -> Result:
    arguments = ["promote", f"whisper:{model}", "--data", str(data), "--person", str(PERSON), *options]
    return CliRunner().invoke(cli, arguments)


async def owned(settings: Settings) -> OwnModel | None:
    async with open_db_assist(settings) as db_assist:
        await db_assist.register(PERSON)
        return answering(await db_assist.own_models(tg_id=PERSON))


async def answers(settings: Settings, sound: bytes, own: OwnModel) -> list[str]:
    """Yield the models that answer, until the own model does."""
    app = create_app(settings, key=None)
    async with entered([app]), open_http(url=None, app=app) as http:
        return await until_answered(NnServiceClient(http), sound, own)


async def until_answered(client: NnServiceClient, sound: bytes, own: OwnModel) -> list[str]:
    """Send requests until the own model answers, at most a minute; return the names of the models."""
    found = list[str]()
    for _ in range(60):
        found.append((await client.transcribe(sound, own=own)).hypothesis.model)
        if found[-1] == own.model.name:
            break
        await asyncio.sleep(1)
    return found


def test_a_server_that_is_killed_while_it_loads_one(
    settings: Settings, samples: list[Sample], start_glas: Callable[..., AbstractContextManager[Server]]
) -> None:
    """After the restart the champion answers until a caller names the own model again."""
    models, sound = write_models(settings), samples[0].path.read_bytes()

    async def answered(url: str) -> list[str]:
        async with open_http(url=url) as http:
            return await until_answered(NnServiceClient(http), sound, models.first)

    async def asked(url: str) -> str:
        async with open_http(url=url) as http:
            return (await NnServiceClient(http).transcribe(sound, own=models.first)).hypothesis.model

    data_dir = str(settings.data_dir)
    with start_glas("nn_service", GLAS_DATA_DIR=data_dir) as server:
        assert asyncio.run(asked(server.url)) == models.champion.name
        server.process.kill()  # it looks for a model to load within a second
        server.process.wait()
    with start_glas("nn_service", GLAS_DATA_DIR=data_dir) as server:
        found = asyncio.run(answered(server.url))
    assert (found[0], found[-1]) == (models.champion.name, models.first.model.name)


@pytest.mark.slow
def test_it_is_judged_given_and_served(
    settings: Settings, samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The champion answers all other people; only a model that was trained here can be assigned.

    It is forced, because the speed of a model depends on what else the machine does.
    """
    for module, name, number in ((trial, "NONSPEECH", 3), (cost, "ROUNDS", 1), (cost, "RECORDINGS", 1)):
        monkeypatch.setattr(module, name, number)
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    models = settings.models_dir
    models.mkdir(parents=True)
    champion = write_changed(models / "common", without_words([one.text for one in samples[:3]], []))
    choose(f"whisper:{champion}", models)
    data, mine = write_data(tmp_path / "said", samples[:3]), write_changed(models / "mine", unchanged)
    assert promote(mine, data).exit_code == 1, "it has no lineage"
    write_lineage(mine, LINEAGE)
    assert promote(mine, data).exit_code == 1, "nobody has this id"
    assert asyncio.run(owned(settings)) is None
    given = promote(mine, data, "--force", "it hears these words")
    assert given.exit_code == 0, given.output
    own = asyncio.run(owned(settings))
    assert own is not None
    assert own.model.name == f"whisper:{mine}"
    assert named_champion(models) == f"whisper:{champion}"
    listed = CliRunner().invoke(cli, ["models", "own"]).output
    assert str(own.model) in listed
    assert str(PERSON) not in listed + given.output
    auto = settings.model_copy(update={"model": "auto"})
    found = asyncio.run(answers(auto, samples[0].path.read_bytes(), own))
    assert (found[0], found[-1]) == (f"whisper:{champion}", f"whisper:{mine}")
    assert CliRunner().invoke(cli, ["models", "own", "--retire", "1"]).exit_code == 0
    assert asyncio.run(owned(settings)) is None
    assert promote(embedded_directory(), data).exit_code == 1, "it does not lie in the directory of models"
