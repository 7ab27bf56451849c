"""db_assist as a service: its key, its start, an unavailable database, and equal answers over a real socket."""

import asyncio
import contextlib
import time

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from structlog.testing import capture_logs

from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.db.session import database_url, open_database
from glas.db_assist.app import create_app
from glas.domain.errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    ImplausibleCorrectionError,
    InvalidParameterError,
    NotFoundError,
    OverloadedError,
)
from glas.domain.messages import Score
from glas.settings import Settings
from tests.conftest import Postgres
from tests.parts.voices import message, open_db_assist, send, someone

KEY = "k" * 40


async def test_the_same_way_over_a_socket(database_settings: Settings) -> None:
    """A message from its arrival to its payment, and each kind of refusal, over TCP with a key."""
    async with open_db_assist(database_settings, key=KEY, tcp=True) as client:
        assert (await client.ready()).database == ("sqlite" if database_settings.database_url is None else "postgresql")
        tg_id = someone()
        await client.register(tg_id)
        sent = await send(client, tg_id)
        results = await asyncio.gather(*(client.rate(sent.id, tg_id, Score.BEST) for _ in range(30)))
        assert sum(result.is_first for result in results) == 1
        other = await client.register(someone())
        for refused, kind in (
            (client.rate(sent.id, other.tg_id, Score.BEST), ForbiddenError),
            (client.rate(sent.id + 1000, tg_id, Score.BEST), NotFoundError),
            (client.fail(sent.id, "x"), ConflictError),
            (client.correct(sent.id, tg_id, "!"), ImplausibleCorrectionError),
            (client.correct(sent.id, tg_id, ""), InvalidParameterError),
        ):
            with pytest.raises(kind):
                await refused
        assert (await client.check_ledger()).is_balanced


@pytest.mark.parametrize("token", [None, "wrong" * 8])
async def test_without_its_key_nobody_enters(settings: Settings, token: str | None) -> None:
    """Metrics require the key, too; only /health and /ready need no key."""
    app = create_app(settings, key=KEY)
    async with app.router.lifespan_context(app), open_http(url=None, app=app, token=token) as http:
        client = DbAssistClient(http)
        with pytest.raises(AuthenticationError):
            await client.user(1)
        assert (await http.get("/metrics")).status_code == 401
        assert [(await http.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]


async def test_an_older_schema_is_not_ready_but_a_newer_one_is(settings: Settings) -> None:
    """During an update the tables are newer than a running process."""
    app = create_app(settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        client = DbAssistClient(http)
        for revision, is_ready in (("29990101_future", True), ("20261126_audit", False)):
            async with app.state.database.writing() as session:
                await session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
            with contextlib.nullcontext() if is_ready else pytest.raises(ConfigurationError, match="20261126_audit"):
                await client.ready()
        assert (await http.get("/health")).status_code == 200


async def test_nobody_slips_in_a_balance(settings: Settings) -> None:
    """Unknown fields of a request are refused and not ignored."""
    app = create_app(settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        answer = await http.put("/users/5", json={"locale": "ru", "cash_hundredths": 10**6})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter")
        assert (await http.put("/users/5", json={"locale": "ru"})).json()["cash_hundredths"] == 0


async def test_figures_for_prometheus(database_settings: Settings) -> None:
    """The metrics are counted in the database."""
    app = create_app(database_settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        client = DbAssistClient(http)
        tg_id = someone()
        await client.register(tg_id)
        sent = await send(client, tg_id)
        await client.rate(sent.id, tg_id, Score.BEST)
        lines = (await http.get("/metrics")).text.splitlines()
    assert 'glas_database_messages{status="done"} 1.0' in lines
    assert 'glas_database_finished_messages{score="3"} 1.0' in lines
    assert "glas_ledger_paid_coins 0.8" in lines
    assert "glas_ledger_wrong_balances 0.0" in lines
    assert not any(str(tg_id) in line for line in lines)


async def test_logs_name_nobody(settings: Settings) -> None:
    """Requests, also refused requests, are logged without ids of people."""
    tg_id = someone()
    async with open_db_assist(settings) as client:
        with capture_logs() as lines:
            await client.register(tg_id)
            await client.chat(1, -tg_id)
            with pytest.raises(NotFoundError):
                await client.transactions(tg_id + 1)
            with pytest.raises(InvalidParameterError):
                await client.user(-tg_id)
    paths = [line["path"] for line in lines if line["event"] == "request"]
    assert paths == ["/users/{tg_id}", "/chats/1/{chat_id}", "/users/{tg_id}/transactions", "/users/{tg_id}"]
    assert str(tg_id)[:8] not in str(lines)


async def test_a_database_that_was_not_migrated_is_refused(postgres: Postgres, settings: Settings) -> None:
    """Only the embedded file is migrated at the start; any other database waits for `glas migrate`."""
    url = await asyncio.to_thread(postgres.create, "glas_not_migrated")
    with pytest.raises(ConfigurationError, match="glas migrate"):
        async with open_db_assist(settings.model_copy(update={"database_url": SecretStr(url)})):
            pass


async def test_an_unreachable_database_is_told_without_its_password(settings: Settings) -> None:
    """The start fails with a message that may be logged."""
    url = SecretStr("postgresql://glas:hunter2hunter2@127.0.0.1:9/glas")
    with pytest.raises(ConfigurationError, match="GLAS_DATABASE_URL") as caught:
        async with open_db_assist(settings.model_copy(update={"database_url": url})):
            pass
    assert "hunter2" not in str(caught.value)


async def test_a_restarted_database_is_met_again(empty_postgres: str, settings: Settings) -> None:
    """Closed connections in the pool cause no errors."""
    async with open_db_assist(settings.model_copy(update={"database_url": SecretStr(empty_postgres)})) as client:
        await client.register(someone())
        with psycopg.connect(empty_postgres, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "  # waits until they are gone
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await client.register(someone())


async def test_a_database_that_is_away_is_told_as_such(
    postgres: Postgres, migrated_postgres: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Callers are asked to try again; the log contains no words of people."""
    template = make_url(migrated_postgres).database
    url = await asyncio.to_thread(postgres.create, "glas_away", str(template))
    async with open_db_assist(settings.model_copy(update={"database_url": SecretStr(url)})) as client:
        tg_id = someone()
        await client.register(tg_id)
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE glas_away WITH (FORCE)")
        with pytest.raises(OverloadedError) as caught:
            await client.create_transcription(message(tg_id, file="secret-name-of-a-file"))
        assert caught.value.retry_after_s
        with pytest.raises(OverloadedError):
            await client.ready()
    assert "secret-name-of-a-file" not in capsys.readouterr().out


async def test_a_caller_who_gives_up_leaves_no_half_work(settings: Settings) -> None:
    """In one process a caller's time-out would cancel the route at any place, and its locks would stay."""
    app = create_app(settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        client = DbAssistClient(http)
        tg_id = someone()
        await client.register(tg_id)
        sent = [await send(client, tg_id) for _ in range(20)]
        given_up = []
        for number, one in enumerate(sent):
            task = asyncio.create_task(client.rate(one.id, tg_id, Score.BEST))
            await asyncio.sleep(number * 0.0005)
            task.cancel()
            # Kept, as a task's exception may be: it holds the frames in which a statement was interrupted.
            given_up.append(await asyncio.gather(task, return_exceptions=True))
        began = time.monotonic()
        results = [await client.rate(one.id, tg_id, Score.BEST) for one in sent]
        assert time.monotonic() - began < 10, "a lock was left behind"
        assert {result.paid_hundredths for result in results} == {80}
        assert (await client.user(tg_id)).cash_hundredths == 20 * 80
        assert (await client.check_ledger()).is_balanced


async def test_sqlite_is_safe_against_loss_of_power(settings: Settings) -> None:
    """Every connection has WAL, full synchronisation and foreign keys."""
    database = open_database(database_url(settings))
    for opened in (database.reading, database.writing):
        async with opened() as session:
            found = [
                await session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert found == ["wal", 2, 1]
    await database.close()


def test_the_client_closes_what_it_opened() -> None:
    """A client owns its connections."""
    client = DbAssistClient(httpx.AsyncClient(timeout=60))
    asyncio.run(client.close())
