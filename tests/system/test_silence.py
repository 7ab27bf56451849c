"""Test that callers notice soon if a machine loses its network and does not answer."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from glas.clients.http import call, open_http
from glas.db.session import open_database
from glas.domain.errors import ServiceUnreachableError
from glas.durable import postgres_place
from tests import postgres
from tests.system.namespaces import Machine, Namespace, network, why_impossible

ADDRESS = "10.0.0.1"
URL = f"postgresql://postgres@{ADDRESS}/postgres"
# The program's limits, and some time of a busy machine.
SOON_S = 15.0 + 10.0
CUT_AFTER_S = 2.0
SLEEP = sa.text("SELECT pg_sleep(600)")


@pytest.fixture
def server() -> Iterator[tuple[Namespace, Machine]]:
    """A machine with PostgreSQL and with a port that never answers, and a network to call it from."""
    if (reason := why_impossible()) is not None:
        pytest.skip(reason)
    with (
        TemporaryDirectory(prefix="glas-") as directory,
        network({"a": ADDRESS}, outside="10.0.0.254") as (outside, machines),
        machines["a"].call(lambda: socket.create_server((ADDRESS, 8001))),
    ):
        data = Path(directory) / "data"
        data.mkdir(mode=0o700)
        for place in (data.parent, data):
            postgres.give(place)
        postgres.run("initdb", "--no-sync", "--auth=trust", "--username=postgres", f"--pgdata={data}")
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write("host all all 10.0.0.0/24 trust\n")
        options = f"-h '*' -k {directory} -F"
        start = f'exec {postgres.programs()}/pg_ctl start --wait --pgdata={data} --log={data}/log --options="{options}"'
        machines["a"].run(start, environment={}, user=postgres.user())
        yield outside, machines["a"]
        machines["a"].die()


def ask_service() -> None:
    """Wait for an answer of a service, as a bot waits for the text of a recording of an hour."""

    async def ask() -> None:
        async with open_http(url=f"http://{ADDRESS}:8001") as http:
            await call(http, "GET", "/", timeout_s=3600)

    with pytest.raises(ServiceUnreachableError):
        asyncio.run(ask())


def ask_durable() -> None:
    """Wait for the database of the durable work."""
    engine = postgres_place(URL, "tg_bot").open()
    with pytest.raises(sa.exc.OperationalError), engine.connect() as connection:
        connection.execute(SLEEP)
    engine.dispose()


def ask_rows() -> None:
    """Wait for the database of the rows."""

    async def ask() -> None:
        database = open_database(sa.make_url(URL).set(drivername="postgresql+asyncpg"))
        try:
            async with database.reading() as session:
                await session.execute(SLEEP)
        finally:
            await database.close()

    with pytest.raises((sa.exc.DBAPIError, OSError)):
        asyncio.run(ask())


@pytest.mark.slow
async def test_whoever_waits_notices(server: tuple[Namespace, Machine]) -> None:
    """All three callers wait while the connection is cut, and get an error."""
    outside, machine = server

    def timed(ask: Callable[[], None]) -> float:
        outside.call(ask)
        return time.monotonic()

    waiting = [asyncio.create_task(asyncio.to_thread(timed, ask)) for ask in (ask_service, ask_durable, ask_rows)]
    await asyncio.sleep(CUT_AFTER_S)
    machine.cut()
    cut_s = time.monotonic()
    ended_s = [ended_s - cut_s for ended_s in await asyncio.gather(*waiting)]
    assert min(ended_s) > 0, "somebody did not wait"
    assert max(ended_s) < SOON_S
