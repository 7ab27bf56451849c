"""compose.yaml and Dockerfile, checked as far as it goes without Docker; then all services, started as they say."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from compose_spec import PyCompose
from pydantic import SecretStr, ValidationError

from glas.cli import app
from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished
from glas.clients.http import open_http
from glas.data_loader.app import make_store
from glas.domain.messages import Score
from glas.domain.people import Purpose
from glas.launch import PARTS
from glas.s3.keys import audio_key
from glas.settings import Settings, rows
from tests.conftest import ROOT, Postgres, Sample
from tests.parts.voices import message, someone
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.system.composition import Fleet, MissingVariableError, Service, composition, dotenv, variables
from tests.telegram.server import TelegramServer

EXAMPLE = dotenv(ROOT / ".env.example")
SECRETS = ("DB_PASSWORD", "S3_SECRET_KEY", "TELEGRAM_TOKEN")
TOKEN = "123456789:" + "Telegram-token-of-the-tests-01234567"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IMAGES = ("tg_bot", "nn_service", "db_assist", "data_loader", "web")
ANSWER_S = 60.0
ONCE = {"folders", "migrate", "model", "s3_fsync"}


@pytest.fixture(scope="module")
def variables_of_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `make env` writes, with the bot's token filled in."""
    directory = tmp_path_factory.mktemp("env")
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, directory)
    subprocess.run(["make", "env"], cwd=directory, check=True, capture_output=True)
    assert (directory / ".env").stat().st_mode & 0o777 == 0o600
    return dotenv(directory / ".env") | {"TELEGRAM_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def composed(variables_of_env: dict[str, str]) -> dict[str, Service]:
    """The services of compose.yaml."""
    found: dict[str, Service] = composition(variables_of_env)["services"]
    return found


def test_the_file_keeps_the_specification(variables_of_env: dict[str, str]) -> None:
    """A parser of the whole Compose specification reads it: keys, values and units."""
    read = PyCompose.from_yaml(yaml.safe_dump(composition(variables_of_env)))
    assert set(read.service_names()) == {*PARTS, "s3", "db", *ONCE}


def test_what_is_named_exists(composed: dict[str, Service], variables_of_env: dict[str, str]) -> None:
    """Dependencies, networks, volumes, build targets; whoever is waited for can meet the condition."""
    whole = composition(variables_of_env)
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    for name, service in composed.items():
        for needed, terms in service.get("depends_on", {}).items():
            is_once = terms["condition"] == "service_completed_successfully"
            assert is_once == (needed in ONCE), (name, needed)
            assert is_once or "healthcheck" in composed[needed], (name, needed)
        assert set(service.get("networks", [])) <= set(whole["networks"]), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in whole["volumes"], (name, source)
        assert "image" in service or service["build"]["target"] in targets, name
        assert (service["restart"] == "no") == (name in ONCE), name
        assert name in ONCE or "healthcheck" in service, name


def test_nobody_may_more_than_needed(composed: dict[str, Service]) -> None:
    """Confined, limited, pinned; one port, on loopback; what talks inside cannot talk outside."""
    for name, service in composed.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert re.search(r":\d[\w.-]+$", service.get("image", ":1.0")), name
        assert ("ports" in service) == (name == "web"), name
    assert composed["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert {name for name, one in composed.items() if "outside" in one.get("networks", [])} == {
        "tg_bot",
        "web",
        "model",
    }
    assert {name for name, one in composed.items() if "cap_add" in one} == {"folders", "db"}
    for stage in re.split(r"(?m)^FROM ", DOCKERFILE):
        if "ENTRYPOINT" in stage:
            assert "USER 10001:10001" in stage, stage.splitlines()[0]
            assert 'ENTRYPOINT ["python", "-m", "glas"]' in stage


def test_commands_and_settings_are_the_programs_own(composed: dict[str, Service]) -> None:
    """A misspelt part or variable would be ignored, or end a container that nobody looks at."""
    known = {row.variable for row in rows()} | {"HF_ENDPOINT"}
    commands = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    for name, service in composed.items():
        if "image" in service or "entrypoint" in service:
            continue
        assert set(service["environment"]) <= known, name
        first, *others = service["command"]
        assert first in commands, name
        assert first != "run" or set(others) <= set(PARTS), name


def test_the_example_starts_nothing_by_itself(variables_of_env: dict[str, str]) -> None:
    """Each secret is empty, which Compose refuses, or a placeholder, which the program refuses."""
    required = {name for name, is_required in variables().items() if is_required}
    assert required <= set(EXAMPLE)
    for name in required:
        assert variables_of_env[name], name
    for name in SECRETS:
        with pytest.raises(MissingVariableError):
            composition(variables_of_env | {name: EXAMPLE[name]})
    for name in required - set(SECRETS):
        if name.startswith("GLAS_"):
            given: dict[str, Any] = {name.removeprefix("GLAS_").lower(): EXAMPLE[name]}
            with pytest.raises(ValidationError, match="placeholder"):
                Settings(_env_file=None, **given)


def test_the_image_is_made_of_what_is_there() -> None:
    """Sources of COPY exist and reach the engine; requirements are pinned, hashed, and as small as they should be."""
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    sources = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == one or Path(source).match(one) for one in let_in), source
    pins = _pins("run")
    for image in IMAGES:
        assert f"requirements/{image}.txt" in sources
        own = _pins(image)
        assert own.items() <= pins.items(), image
        assert not {"torch", "transformers"} & {name for name, _ in own}, image
        assert ("onnxruntime" in {name for name, _ in own}) == (image == "nn_service"), image
        assert image in (ROOT / "Makefile").read_text(encoding="utf-8")


def _pins(name: str) -> dict[tuple[str, str], str]:
    """Versions by package and marker; each with a hash, and no address of an index."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    found = re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==(\S+)( ;.*)? \\\n    --hash=sha256:", text)
    assert len(found) == len(re.findall(r"(?m)^\w", text))
    return {(package, ""): version for package, version, _marker in found}


def test_the_object_store_is_told_to_write_to_the_disk(
    composed: dict[str, Service], seaweed: Seaweed, variables_of_env: dict[str, str]
) -> None:
    """The command of compose.yaml sets the rule, more than once too, and fails where it cannot; writes go on."""
    (command,) = composed["s3_fsync"]["command"]
    assert f"/buckets/{variables_of_env['S3_BUCKET_NAME']}/ " in command
    moved = command.replace("127.0.0.1:9333", seaweed.addresses["master"])
    moved = moved.replace("127.0.0.1:8888", seaweed.addresses["filer"])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for what, code in ((moved, 0), (moved, 0), (moved.replace("-fsync=true", "-fsync=false"), 1), (moved, 0)):
        done = subprocess.run(["sh", "-c", what], env={"PATH": path, "HOME": "/tmp"}, timeout=60, check=False)  # noqa: S108
        assert done.returncode == code
    settings = Settings(
        _env_file=None, s3_endpoint=seaweed.endpoint, s3_access_key=ACCESS_KEY, s3_secret_key=SecretStr(SECRET_KEY)
    )
    assert asyncio.run(make_store(settings).put(audio_key(someone(), "ogg"), b"sound")).size_bytes == 5


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    """Telegram, for the bot among the services."""
    with TelegramServer(TOKEN) as running:
        yield running


@pytest.fixture
def fleet(
    composed: dict[str, Service], postgres: Postgres, telegram: TelegramServer, tmp_path: Path
) -> Iterator[Fleet]:
    """All services as processes over an empty database."""
    for name in ("downloads", "s3_data"):
        (tmp_path / name).mkdir()
    extra = {"tg_bot": {"GLAS_TELEGRAM_API_URL": telegram.url}}
    running = Fleet(composed, tmp_path, postgres.create("glas_compose"), extra)
    try:
        running.start()
        yield running
    finally:
        running.kill()


@asynccontextmanager
async def _doors(fleet: Fleet) -> AsyncIterator[tuple[DbAssistClient, DataLoaderClient]]:
    tokens = {name: fleet.environment(name)[f"GLAS_{name.upper()}_TOKEN"] for name in ("db_assist", "data_loader")}
    http = [open_http(url=fleet.url(name), token=token) for name, token in tokens.items()]
    async with http[0], http[1]:
        yield DbAssistClient(http[0]), DataLoaderClient(http[1])


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_what_compose_would_start_works_together(
    fleet: Fleet, telegram: TelegramServer, samples: list[Sample]
) -> None:
    """Started, asked, refused without tokens, answered in Telegram, exported, stopped: by what compose.yaml says."""
    voice = samples[0].path.read_bytes()
    key = {"Authorization": f"Bearer {fleet.environment('web')['GLAS_API_KEY']}"}
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        heard = await http.post(f"{fleet.url('web')}/predict", files={"file": voice}, headers=key)
        assert heard.json()["prediction"], heard.text
        for name, path in (("web", "/v1/models"), ("nn_service", "/v1/models"), ("db_assist", "/metrics")):
            assert (await http.get(fleet.url(name) + path)).status_code == 401, name
        for name, path in (("data_loader", "/export"), ("s3", "/glas")):
            assert (await http.get(fleet.url(name) + path)).status_code in (401, 403), name
    await _is_answered(telegram, voice, heard.json()["prediction"], fleet)
    async with _doors(fleet) as (db_assist, data_loader):
        kept = await _a_rated_message(db_assist, data_loader, voice, heard.json()["prediction"])
        report = await data_loader.export_now()
    assert (report.n_messages, report.n_failed) == (1, 0)
    folder = fleet.directory / "downloads" / str(int(Score.BEST)) / str(kept)
    assert {path.suffix for path in folder.iterdir()} == {".wav", ".txt", ".json"}
    assert fleet.stop() == dict.fromkeys(("s3", "db_assist", "data_loader", "nn_service", "tg_bot", "web"), 0)
    # onnxruntime would keep a device id there, for what it reports to its maker.
    assert not (fleet.directory / ".cache").exists()
    # Their roots are read-only: whatever wrote anywhere but into its volumes would fail there.
    assert [path for path in fleet.directory.glob("*-data/*") if not path.parent.name.startswith("model")] == []


async def _is_answered(telegram: TelegramServer, voice: bytes, text: str, fleet: Fleet) -> None:
    """A voice message gets its text."""
    person = someone()
    telegram.speak(person, voice)
    deadline = time.monotonic() + ANSWER_S
    while not any(text in answer.get("text", "") for answer in telegram.answers(person)):
        assert time.monotonic() < deadline, f"{telegram.answers(person)}\n{fleet.log('tg_bot')}"
        await asyncio.sleep(0.05)


async def _a_rated_message(db_assist: DbAssistClient, data_loader: DataLoaderClient, voice: bytes, text: str) -> int:
    person = someone()
    await db_assist.register(person)
    await db_assist.set_consent(person, Purpose.TRAINING, granted=True, text_version="1")
    kept = await db_assist.create_transcription(message(person))
    stored = await data_loader.store_audio(kept.id, voice)
    await db_assist.archive(kept.id, audio_key=stored.key, sha256=stored.sha256, size_bytes=stored.size_bytes)
    await db_assist.finish(kept.id, Finished(text=text, duration_s=3, confidence=0.5, model="embedded 1"))
    await db_assist.rate(kept.id, person, Score.BEST)
    return kept.id
