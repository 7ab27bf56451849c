"""A database on several machines: all parts connect to the server that accepts writes."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from dbos._utils import retriable_postgres_exception
from pydantic import SecretStr

from glas.db.session import database_url, open_database
from glas.db_assist.app import _is_away as is_away
from glas.durable import postgres_place
from glas.settings import Settings, plain
from glas.settings.database_hosts import with_hosts
from glas.system.sockets import POSTGRESQL_SETTINGS
from tests import postgres as programs
from tests.conftest import Postgres

IS_WRITER = sa.text("SELECT NOT pg_is_in_recovery()")


def test_hosts_are_written_as_sqlalchemy_expects_them() -> None:
    """URLs with and without ports; a URL with one host does not change, and parameters about the server are kept."""
    one = "postgresql://glas:word@db:5433/glas?sslmode=require"
    assert with_hosts(one) == one
    url = sa.make_url(with_hosts("postgresql://glas:w%40rd@a,10.0.0.2:5433,[::1],[::2]:1/glas?options=-c%20x"))
    assert (url.username, url.password, url.database, url.host) == ("glas", "w@rd", "glas", None)
    assert url.query == {
        "host": ("a:5432", "10.0.0.2:5433", "[::1]:5432", "[::2]:1"),
        "options": "-c x",
        "target_session_attrs": "read-write",
    }
    told = sa.make_url(with_hosts("postgresql://glas@a,b/glas?target_session_attrs=any"))
    assert told.query["target_session_attrs"] == "any"


@pytest.fixture(params=["on", "off"])
def replica(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Path]:
    """The directory with the socket of a replica, which accepts readers or no connections."""
    # The path of a socket may have 107 characters.
    with TemporaryDirectory(prefix="glas-pg-") as directory:
        place, source = Path(directory), f"host={postgres.socket_dir} user=postgres"
        programs.give(place)
        options = ["--write-recovery-conf", "--no-sync", "--checkpoint=fast"]
        programs.run("pg_basebackup", *options, f"--dbname={source}", f"--pgdata={place}")
        # The server of the session has its socket among its data.
        (place / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        told = f"-h '' -k {place} -c hot_standby={request.param}"
        programs.run("pg_ctl", f"--pgdata={place}", f"--log={place}/log", f"--options={told}", "--wait", "start")
        yield place
        programs.run("pg_ctl", f"--pgdata={place}", "--mode=immediate", "stop")


async def test_a_replica_is_passed_over(replica: Path, postgres: Postgres) -> None:
    """Rows and durable work use the next server in the list; without such a server, both wait."""
    servers = f"host={replica}:5432&host={postgres.socket_dir}:5432"
    for hosts, is_there in ((servers, True), (f"host={replica}:5432&host={replica}:5432", False)):
        url = f"postgresql://postgres@/postgres?{hosts}&target_session_attrs=read-write"
        database = open_database(database_url(Settings(_env_file=None, database_url=SecretStr(url))))
        durable = postgres_place(url, "tg_bot").open()
        try:
            if is_there:
                async with database.reading() as session:
                    assert await session.scalar(IS_WRITER)
                with durable.connect() as connection:
                    assert connection.scalar(IS_WRITER)
                continue
            with pytest.raises((sa.exc.DBAPIError, OSError)) as caught:
                async with database.reading() as session:
                    await session.scalar(IS_WRITER)
            assert not isinstance(caught.value, sa.exc.DBAPIError) or is_away(caught.value)
            with pytest.raises(sa.exc.OperationalError) as lost, durable.connect():
                pass
            assert retriable_postgres_exception(lost.value)
        finally:
            durable.dispose()
            await database.close()


def test_the_setting_takes_several_hosts() -> None:
    url = plain(Settings(_env_file=None, database_url=SecretStr("postgresql://glas@a,b/glas")).database_url)
    assert url == "postgresql://glas@/glas?host=a:5432&host=b:5432&target_session_attrs=read-write"


async def test_the_server_ends_connections_of_machines_that_are_gone(postgres: Postgres) -> None:
    """Rows and durable work ask for it: otherwise the locks of such a machine would stay for two hours."""
    asked = sa.text("SELECT name, reset_val FROM pg_settings WHERE name LIKE 'tcp\\_%'")
    url = postgres.url("postgres")
    database = open_database(database_url(Settings(_env_file=None, database_url=SecretStr(url))))
    durable = postgres_place(url, "tg_bot").open()
    try:
        async with database.reading() as session:
            found = [{row.name: row.reset_val for row in await session.execute(asked)}]
        with durable.connect() as connection:
            found.append({row.name: row.reset_val for row in connection.execute(asked)})
    finally:
        durable.dispose()
        await database.close()
    assert found == [POSTGRESQL_SETTINGS, POSTGRESQL_SETTINGS]
