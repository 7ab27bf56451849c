"""`glas migrate` and `glas ledger`, on SQLite and PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from glas.cli import app
from glas.cli.session import secrets_of
from glas.db.session import database_url, open_database
from glas.settings import Settings
from tests.conftest import Postgres  # noqa: TC001 - beside the others
from tests.parts.voices import open_db_assist, someone


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a command whose database is empty."""
    monkeypatch.chdir(settings.data_dir.parent)
    monkeypatch.setenv("GLAS_DATA_DIR", str(settings.data_dir))
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("GLAS_DATABASE_URL", postgres.create("glas_command"))


@pytest.mark.usefixtures("environment")
def test_migrate_then_prove_the_ledger() -> None:
    """The first run migrates, the second has nothing to do; a wrong balance gives exit code 1."""
    run = CliRunner()
    refused = run.invoke(app, ["ledger"])
    assert (refused.exit_code, "glas migrate" in refused.output) == (1, True)
    first = run.invoke(app, ["migrate"])
    assert (first.exit_code, "была пустой" in first.output) == (0, True), first.output
    assert "обновлять нечего" in run.invoke(app, ["migrate"]).output
    settings = Settings()

    async def spoil() -> None:
        async with open_db_assist(settings) as client:
            await client.register(someone())
        database = open_database(database_url(settings))
        async with database.writing() as session:
            await session.execute(text("UPDATE users SET cash_hundredths = 7"))
        await database.close()

    assert run.invoke(app, ["ledger"]).exit_code == 0
    asyncio.run(spoil())
    wrong = run.invoke(app, ["ledger"])
    assert (wrong.exit_code, "0,07" in wrong.output) == (1, True)


def test_an_unreachable_database_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints a sentence without traceback and password, and the exit code is 1."""
    monkeypatch.setenv("GLAS_DATABASE_URL", "postgresql://glas:hunter2hunter2@127.0.0.1:9/glas")
    result = CliRunner().invoke(app, ["migrate"])
    assert (result.exit_code, "hunter2" in result.output, "Traceback" in result.output) == (1, False, False)


def test_logs_know_every_secret() -> None:
    """Secrets of groups and passwords inside URLs are redacted, too."""
    settings = Settings(
        _env_file=None,
        database_url="postgresql://glas:p%40ssword-of-db@host/glas",
        db_assist_token="t" * 40,
        nn_service_token="n" * 40,
    )
    assert {"t" * 40, "n" * 40, "p@ssword-of-db"} <= set(secrets_of(settings))
