"""Test `glas doctor --deep` with real servers: each check accepts a right state and finds a broken one."""

import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from typer.testing import CliRunner

import glas
from glas.cli import app, doctor_deep, doctor_network
from glas.cli.doctor_here import Finding, Look
from glas.cli.run import parts_that_can
from glas.db import roles
from glas.engines import checksums
from glas.engines.catalogue import embedded_directory
from glas.settings import Settings
from glas.system.files import sha256_of
from tests.conftest import Postgres, Server
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed
from tests.telegram.server import TelegramServer
from tests.telegram.world import TOKEN

DATABASE, STORE, SERVICES, TELEGRAM, MODELS, DISKS = doctor_deep.LOOKS
NOWHERE = "http://127.0.0.1:9"
KEY = "a-token-between-parts-long-enough"


def found(look: Look, settings: Settings, **changes: object) -> list[Finding]:
    changed = settings.model_copy(update=changes)
    return list(look(changed, parts_that_can(changed)))


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


@pytest.mark.parametrize(("seconds", "level"), [(0, "ok"), (4, "ok"), (-10, "warn"), (40, "fail"), (-3600, "fail")])
def test_a_clock_that_differs_is_told(seconds: float, level: str) -> None:
    now_s = time.time()
    finding = doctor_deep.clock("Telegram", now_s + seconds, now_s)
    assert (finding.level, bool(finding.advice)) == (level, level != "ok")


def test_the_clock_and_the_rights_of_the_database_are_looked_at(settings: Settings, postgres: Postgres) -> None:
    """A role that can change the ledger is reported; the role of db_assist cannot."""
    name = f"doctor_deep_{os.getpid()}"
    url = postgres.create(name)
    assert found(DATABASE, settings) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLAS_DATABASE_URL", url)
        for role in ("APP", "WORK"):
            patch.setenv(f"GLAS_DATABASE_ROLES__{role}_PASSWORD", "a-password-of-the-tests")
        done = CliRunner().invoke(app, ["migrate"])
    assert (done.exit_code, "app, work" in done.output) == (0, True), done.output
    owner = found(DATABASE, settings, database_url=SecretStr(url))
    assert levels(owner) == ["ok", "ok", "warn"]
    assert "…_app" in owner[-1].advice
    as_app, as_work = (url.replace("postgres@", f"{roles.name_of(one, name)}@") for one in (roles.APP, roles.WORK))
    for look in (DATABASE, doctor_network.LOOKS[0]):
        assert set(levels(found(look, settings, database_url=SecretStr(as_work)))) == {"ok"}, look.__name__
    assert levels(found(DATABASE, settings, database_url=SecretStr(as_app))) == ["ok", "ok"]
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("GRANT DELETE ON transactions TO {}").format(sql.Identifier(f"{name}_app")))
    assert levels(found(DATABASE, settings, database_url=SecretStr(as_app))) == ["ok", "ok", "warn"]
    assert found(DATABASE, settings, database_url=SecretStr("postgresql://glas:word@127.0.0.1:9/glas")) == []


def test_a_probe_is_written_and_deleted(settings: Settings, seaweed: Seaweed) -> None:
    """An object is written and deleted, in the directory and in the bucket; missing rights are reported."""
    assert found(STORE, settings) == []
    settings.data_dir.mkdir()
    assert levels(found(STORE, settings)) == ["ok"]
    assert [path for path in (settings.data_dir / "s3").rglob("*") if path.is_file()] == []
    right = {"s3_endpoint": seaweed.endpoint, "s3_access_key": ACCESS_KEY, "s3_secret_key": SecretStr(SECRET_KEY)}
    assert levels(found(STORE, settings, **right)) == ["ok"]
    wrongs: tuple[dict[str, object], ...] = ({"s3_access_key": "nobody"}, {"s3_secret_key": None})
    for wrong in wrongs:
        (refused,) = found(STORE, settings, **right | wrong)
        assert (refused.level, "GLAS_S3_ACCESS_KEY" in refused.advice) == ("fail", True)
        assert SECRET_KEY not in refused.what


def test_version_and_clock_of_services_are_compared(
    settings: Settings, start_glas: Callable[..., AbstractContextManager[Server]]
) -> None:
    told = {"GLAS_DB_ASSIST_TOKEN": KEY, "GLAS_DB_ASSIST__PORT": "0"}
    with start_glas("db_assist", **told) as server:
        there = {"db_assist_url": server.url, "db_assist_token": SecretStr(KEY)}
        assert levels(found(SERVICES, settings, **there)) == ["ok", "ok"]
    other = doctor_deep.same_version("db_assist", "0.0.1")
    assert (other.level, "0.0.1" in other.what, glas.__version__ in other.what) == ("warn", True, True)
    assert found(SERVICES, settings, nn_service_url=NOWHERE) == []


def test_the_webhook_is_compared_with_the_settings(settings: Settings) -> None:
    """Telegram's clock is compared, too; the report contains neither the token nor the webhook's path."""
    bot: dict[str, object] = {"telegram_token": SecretStr(TOKEN)}
    ours = settings.bot.model_copy(update={"webhook_url": "https://glas.example.org/hook-of-ours"})
    with TelegramServer() as telegram:
        bot["telegram_api_url"] = telegram.url
        polling = found(TELEGRAM, settings, **bot)
        missing = found(TELEGRAM, settings, **bot | {"bot": ours})
        telegram.world.webhook.url = "https://elsewhere.example.org/secret-path"
        telegram.world.webhook.last_error = "Connection refused"
        foreign = found(TELEGRAM, settings, **bot)
    assert levels(polling) == ["ok", "ok"]
    assert levels(missing) == ["ok", "warn"]
    assert levels(foreign) == ["ok", "warn", "warn"]
    assert "elsewhere.example.org" in foreign[1].what
    shown = str([*polling, *missing, *foreign])
    assert TOKEN not in shown
    assert "secret-path" not in shown
    right = {"url": "https://glas.example.org/hook-of-ours/telegram", "pending_update_count": 500}
    set_here = list(doctor_deep.webhook(right, settings.model_copy(update={"bot": ours})))
    assert levels(set_here) == ["ok", "warn"]
    assert found(TELEGRAM, settings) == []


def test_files_of_models_are_compared_with_their_checksums(settings: Settings) -> None:
    """A changed byte and a missing file are reported; a model without a list is skipped."""
    (embedded,) = found(MODELS, settings)
    assert (embedded.level, str(embedded_directory()) in embedded.what) == ("ok", True)
    model = settings.models_dir / "other"
    model.mkdir(parents=True)
    for name in ("model.bin", "vocabulary.json"):
        (model / name).write_text(name, encoding="utf-8")
    assert levels(found(MODELS, settings)) == ["ok"]
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in sorted(model.iterdir())]
    (model / checksums.FILE).write_text("".join(lines), encoding="utf-8")
    assert levels(found(MODELS, settings)) == ["ok", "ok"]
    (model / "model.bin").write_text("model.bim", encoding="utf-8")
    (model / "vocabulary.json").unlink()
    _, damaged = found(MODELS, settings)
    assert damaged.level == "fail"
    assert damaged.what.endswith("model.bin, vocabulary.json")


def test_free_space_is_told(settings: Settings) -> None:
    """The share of free space and the free bytes are checked; data and export may be on two disks."""
    found_here = found(DISKS, settings, downloads_dir=settings.data_dir.parent / "elsewhere")
    assert len(found_here) == 2
    total = 10**12
    for free, level in ((total // 2, "ok"), (total // 20, "warn"), (10**6, "fail")):
        assert doctor_deep.free_space(settings.data_dir, free_bytes=free, total_bytes=total).level == level


@pytest.mark.parametrize("deep", [False, True])
def test_json_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, deep: bool) -> None:
    """JSON contains names of checks and three levels; the exit code is 1 if a check fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLAS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GLAS_NN_SERVICE_URL", NOWHERE)
    done = CliRunner().invoke(app, ["doctor", "--json", *(["--deep"] if deep else [])])
    read = json.loads(done.stdout)
    assert (done.exit_code, read["is_well"]) == (1, False)
    assert {row["level"] for row in read["findings"]} <= {"ok", "warning", "fault"}
    (fault,) = [row for row in read["findings"] if row["level"] == "fault"]
    assert (fault["check"], fault["advice"]) == ("services", "проверьте GLAS_NN_SERVICE_URL")
    assert ("disks" in {row["check"] for row in read["findings"]}) == deep
