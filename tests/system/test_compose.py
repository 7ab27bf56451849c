"""Test compose.yaml and Dockerfile without Docker; `test_whole` starts the services as processes."""

import asyncio
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from pydantic import SecretStr, ValidationError
from sqlalchemy import make_url

from glas.cli import app
from glas.data_loader.app import make_store
from glas.domain.object_keys import audio_key
from glas.launch import PARTS
from glas.settings import Settings, rows
from tests.conftest import ROOT
from tests.parts.voices import someone
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.system.composition import (
    CALL_THE_INTERNET,
    CALLS,
    FOR_OVERLAYS,
    MissingVariableError,
    Service,
    composition,
    dotenv,
    leads_out,
    neighbours,
    variables,
    without_profiles,
)

EXAMPLE = dotenv(ROOT / ".env.example")
SECRETS = ("DB_PASSWORD", "DB_APP_PASSWORD", "DB_WORK_PASSWORD", "S3_SECRET_KEY", "TELEGRAM_TOKEN")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ONCE = {"folders", "migrate", "model", "s3_fsync"}
MONITORING = {"prometheus", "grafana", "jaeger"}


@pytest.fixture(scope="module")
def composed(variables_of_env: dict[str, str]) -> dict[str, Service]:
    """Return the services of compose.yaml."""
    found: dict[str, Service] = composition(variables_of_env)["services"]
    return found


def test_the_file_keeps_the_specification(variables_of_env: dict[str, str]) -> None:
    """A parser of the whole Compose specification accepts keys, values and units."""
    read = PyCompose.from_yaml(yaml.safe_dump(composition(variables_of_env)))
    assert set(read.service_names()) == {*PARTS, "s3", "db", *ONCE, *MONITORING}


def test_what_is_named_exists(composed: dict[str, Service], variables_of_env: dict[str, str]) -> None:
    """Dependencies, networks, volumes and build targets exist; conditions can be met."""
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
            assert not source.startswith("./deploy") or (ROOT / source).exists(), (name, source)
        assert "image" in service or service["build"]["target"] in targets, name
        assert (service["restart"] == "no") == (name in ONCE), name
        assert name in ONCE or "healthcheck" in service, name


def test_nobody_may_more_than_needed(composed: dict[str, Service]) -> None:
    """Confined, limited, pinned; ports on loopback."""
    for name, service in composed.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert re.search(r":v?\d[\w.-]+$", service.get("image", ":1.0")), name
        assert ("ports" in service) == (name in {"web", *MONITORING}), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert service.get("profiles", []) == (["monitoring"] if name in MONITORING else []), name
    assert composed["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert {name for name, one in composed.items() if "cap_add" in one} == {"folders", "db"}
    for stage in re.split(r"(?m)^FROM ", DOCKERFILE):
        if "ENTRYPOINT" in stage:
            assert "USER 10001:10001" in stage, stage.splitlines()[0]
            assert 'ENTRYPOINT ["python", "-m", "glas"]' in stage


def test_only_who_calls_can_reach(variables_of_env: dict[str, str]) -> None:
    """Calls are those of the addresses that services are told, and only services of a call are in a common network."""
    whole = composition(variables_of_env)
    services = without_profiles(whole["services"])
    told = {
        name: {host for value in service.get("environment", {}).values() for host in _hosts(str(value))} & set(services)
        for name, service in services.items()
    }
    assert {name: hosts for name, hosts in told.items() if hosts} == CALLS
    calls = {frozenset((caller, one)) for caller, called in CALLS.items() for one in called}
    assert neighbours(services) == calls
    watched = {frozenset((watcher, part)) for watcher in ("prometheus", "jaeger") for part in PARTS}
    assert neighbours(whole["services"]) - calls == watched | {frozenset(pair) for pair in combinations(MONITORING, 2)}
    assert all("networks" in one or "network_mode" in one for one in whole["services"].values())
    outward = {name for name, network in whole["networks"].items() if leads_out(network)}
    callers = {name for name, one in whole["services"].items() if outward & set(one.get("networks", []))}
    assert callers == CALL_THE_INTERNET


def _hosts(value: str) -> list[str]:
    return re.findall(r"(?:@|//)(\w+):\d+", value)


def test_commands_and_settings_are_the_programs_own(composed: dict[str, Service]) -> None:
    """Parts and variables exist in the program, so that no misspelt name is ignored."""
    known = {row.variable for row in rows()} | {"HF_ENDPOINT"}
    commands = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    for name, service in composed.items():
        if "image" in service or "entrypoint" in service:
            continue
        assert set(service["environment"]) <= known, name
        first, *others = service["command"]
        assert first in commands, name
        assert first != "run" or set(others) <= set(PARTS), name


# What compose.yaml decides itself: addresses and keys between containers, places inside them; and what makes no sense
# there: a webhook, which would have to be published, files of a Bot API server, names where a key is required, and TLS.
_DECIDED = re.compile(
    r"GLAS_(HOST|PORT|BOT__METRICS_PORT|DATA_DIR|DOWNLOADS_DIR|DATABASE_URL|DATABASE_ROLES__\w+|S3_\w+|\w+_TOKEN|(NN_SERVICE|DB_ASSIST|DATA_LOADER)_URL|\w+__PORT"
    r"|LOG__FORMAT|TLS__\w+|BOT__SLOT|BOT__WEBHOOK_\w+|BOT__API_IS_LOCAL|ALLOWED_HOSTS|MODEL|API_KEY)|TELEGRAM_TOKEN"
)


def test_every_other_setting_is_handed_on_under_its_own_name(variables_of_env: dict[str, str]) -> None:
    """Each setting of .env reaches a container."""
    names = [row.variable for row in rows() if not _DECIDED.fullmatch(row.variable)]
    given = composition(variables_of_env | {name: f"told-{name}" for name in names})["services"]
    told = {
        name
        for service in given.values()
        for name, value in service.get("environment", {}).items()
        if value == f"told-{name}"
    }
    assert told == set(names)
    parts = {part: {name for name in names if given[part]["environment"].get(name)} for part in PARTS}
    assert {"GLAS_API_KEYS", "GLAS_CORS_ORIGINS"} <= parts["web"]
    assert "GLAS_AUDIO__MAX_DURATION_S" in parts["nn_service"]
    assert "GLAS_BOT__USER_MINUTES_PER_DAY" in parts["tg_bot"]


def test_what_is_handed_on_as_nothing_is_the_programs_default(composed: dict[str, Service]) -> None:
    plain_settings = Settings(_env_file=None)
    for name, service in composed.items():
        if name in PARTS:
            empty = {key: value for key, value in service["environment"].items() if value == ""}
            done = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    "from glas.settings import Settings; print(Settings(_env_file=None).model_dump())",
                ],
                env={"PYTHONPATH": str(ROOT / "src")} | empty,
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout.strip() == str(plain_settings.model_dump()), name


@pytest.mark.parametrize(
    ("overlay", "reached"),
    [
        ("compose.tls.yaml", ["tls web"]),
        ("compose.gpu.yaml", []),
        ("compose.telegram.yaml", ["bot_api tg_bot"]),
        ("compose.training.yaml", ["training db_assist", "training data_loader"]),
        # data_loader and migrate are there as well, since a backup is made in the networks of the stores.
        ("compose.backup.yaml", ["backup db", "backup s3", "backup data_loader", "backup migrate"]),
    ],
)
def test_an_overlay_changes_what_it_says(overlay: str, reached: list[str], variables_of_env: dict[str, str]) -> None:
    """Laid over compose.yaml it keeps the specification, confines what it adds, and connects what must be connected."""
    whole, over = composition(variables_of_env), composition(variables_of_env | FOR_OVERLAYS, overlay)
    for name, service in over["services"].items():
        merged = whole["services"].get(name, {}) | service
        environment = whole["services"].get(name, {}).get("environment", {}) | service.get("environment", {})
        networks = [*whole["services"].get(name, {}).get("networks", []), *service.get("networks", [])]
        whole["services"][name] = merged | {"environment": environment} | ({"networks": networks} if networks else {})
    for kind in ("volumes", "networks"):
        whole[kind] |= over.get(kind, {})
    read = PyCompose.from_yaml(yaml.safe_dump(whole))
    assert set(over["services"]) <= set(read.service_names())
    found = neighbours(whole["services"]) - neighbours(composition(variables_of_env)["services"])
    assert found == {frozenset(pair.split()) for pair in reached}
    for name, service in over["services"].items():
        merged = whole["services"][name]
        assert merged["read_only"] is True, name
        assert merged["cap_drop"] == ["ALL"], name
        if "build" in service:
            assert f"AS {service['build']['target']}\n" in DOCKERFILE
            assert set(service["environment"]) <= {row.variable for row in rows()}


def test_backups_are_made_with_programs_of_the_servers_version(composed: dict[str, Service]) -> None:
    """pg_dump and pg_restore have the version of the server."""
    versions = re.findall(r"postgresql-client-(\d+)|/usr/lib/postgresql/(\d+)/bin", DOCKERFILE)
    (server,) = re.findall(r"^postgres:(\d+)", composed["db"]["image"])
    assert {"".join(found) for found in versions} == {server}


def test_the_example_starts_nothing_by_itself(variables_of_env: dict[str, str]) -> None:
    """Each secret of the example is empty or a placeholder, so that nothing starts with it."""
    required = {name for name, is_required in variables().items() if is_required}
    assert required <= set(EXAMPLE)
    for name in required:
        assert variables_of_env[name], name
    for name in SECRETS:
        with pytest.raises(MissingVariableError):
            composition(variables_of_env | {name: EXAMPLE[name]})
    for name in required - set(SECRETS):
        if name.startswith("GLAS_"):
            *groups, last = name.removeprefix("GLAS_").lower().split("__")
            given: dict[str, Any] = {last: EXAMPLE[name]}
            for group in groups:
                given = {group: given}
            with pytest.raises(ValidationError, match="placeholder"):
                Settings(_env_file=None, **given)


def test_only_the_migration_owns_the_database(composed: dict[str, Service], variables_of_env: dict[str, str]) -> None:
    """Each connected part has a different role, and gets only the passwords that it needs."""
    name = variables_of_env["DB_NAME"]
    expected = {
        "migrate": variables_of_env["DB_USER"],
        "db_assist": f"{name}_app",
        "data_loader": f"{name}_work",
        "tg_bot": f"{name}_work",
    }
    urls = {part: one["environment"].get("GLAS_DATABASE_URL") for part, one in composed.items() if part != "folders"}
    assert {part: make_url(url).username for part, url in urls.items() if url} == expected
    for variable in ("DB_PASSWORD", "DB_APP_PASSWORD", "DB_WORK_PASSWORD", "DB_EXPORT_PASSWORD"):
        password = variables_of_env[variable]
        told = {part for part, one in composed.items() if password in str(one.get("environment"))}
        users = {"DB_PASSWORD": {"db"}, "DB_APP_PASSWORD": {"db_assist"}, "DB_WORK_PASSWORD": {"data_loader", "tg_bot"}}
        assert told == {"migrate"} | users.get(variable, set()), variable


def test_the_object_store_is_told_to_write_to_the_disk(
    composed: dict[str, Service], seaweed: Seaweed, variables_of_env: dict[str, str]
) -> None:
    """The command of compose.yaml sets the rule, also repeatedly, and fails if it cannot."""
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
