"""Open sessions of SQLite or PostgreSQL.

Each request to db_assist uses one transaction, from `reading()` or from `writing()`. The transaction is committed at
the end of the request.

SQLite permits one writer at a time. Therefore all writing transactions use the same connection, one after another.
Writing transactions begin with BEGIN IMMEDIATE. Otherwise, a transaction that reads before it writes would fail if
another transaction wrote between the read and the write.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from glas.db.tables import Base, table_of
from glas.domain.errors import ConfigurationError
from glas.settings import Settings
from glas.system.files import make_directory
from glas.system.sockets import POSTGRESQL_SETTINGS, has_input

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_SQLITE_READERS = 4
_BUSY_TIMEOUT_MS = 15_000
_POOL_TIMEOUT_S = 20
_CONNECT_TIMEOUT_S = 5  # for each server
# FULL: a commit survives a power failure, and takes about 5 ms. With NORMAL, a power failure may undo the commit.
# Deleted rows are overwritten: what a person asked to be forgotten must not stay readable in the file's free pages.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"busy_timeout={_BUSY_TIMEOUT_MS}",
)


class Database:
    """An open database, as `open_database` returns it."""

    def __init__(self, readers: AsyncEngine, writers: AsyncEngine) -> None:
        self._readers = readers
        self._writers = writers
        # Objects are read after their transaction has ended, so they must not expire with the transaction.
        self._reading = async_sessionmaker(readers, expire_on_commit=False)
        self._writing = async_sessionmaker(writers, expire_on_commit=False)

    @property
    def name(self) -> str:
        """Name of the database system: `sqlite` or `postgresql`."""
        return self._writers.dialect.name

    @property
    def writers(self) -> AsyncEngine:
        """The SQLAlchemy engine of writing transactions, which migrations use, too."""
        return self._writers

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a context with a session, in a transaction that writes nothing."""
        async with self._reading() as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a context with a session, in a transaction that may write; an exception undoes all its changes."""
        async with self._writing() as session, session.begin():
            yield session

    async def empty_log(self) -> None:
        """Empty SQLite's write-ahead log, because deleted rows can be read in this file until they are overwritten.

        This method waits until no reading transaction is running. If the wait takes too long, the log is not emptied,
        and a later call of this method can empty it.
        """
        if self.name != "sqlite":
            return
        async with self._writers.connect() as connection:
            # Not through SQLAlchemy, which would begin a transaction.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            cursor = await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            await cursor.fetchone()
            await cursor.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._readers.dispose()
        if self._writers is not self._readers:
            await self._writers.dispose()


def database_url(settings: Settings) -> URL:
    """Return the URL of the database; if the settings have none, the URL of the SQLite file in the data directory.

    Raises:
        ConfigurationError: the setting is not a URL of SQLite or PostgreSQL. The error does not contain the URL,
            because the URL may contain a password.
    """
    if settings.database_url is None:
        return URL.create("sqlite+aiosqlite", database=str(settings.data_dir.absolute() / "glas.db"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError:
        raise ConfigurationError("expected GLAS_DATABASE_URL like postgresql://user:password@host/name") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise ConfigurationError(f"expected GLAS_DATABASE_URL of sqlite or postgresql, got {url.get_backend_name()}")
    return url.set(drivername=driver)


def open_database(url: URL, *, pool_size: int = 10, statement_timeout_s: float | None = None) -> Database:
    """Open a database; the first connection is made when the database is first used.

    Args:
        url: URL of the database, as `database_url` returns it.
        pool_size: largest number of connections to PostgreSQL.
        statement_timeout_s: time limit for one statement in PostgreSQL, seconds. If a statement takes longer, the
            server is considered unavailable. None means no limit, which migrations need.
    """
    # Otherwise the log would contain the values of a failed statement, such as what people said.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": _POOL_TIMEOUT_S}
    if url.get_backend_name() == "sqlite":
        if url.database is None:
            raise ConfigurationError(
                "expected a file for SQLite, got none: without a file each connection would have its own database"
            )
        make_directory(Path(url.database).parent)
        readers = _sqlite(create_async_engine(url, pool_size=_SQLITE_READERS, **options), begin="BEGIN")
        writers = _sqlite(create_async_engine(url, pool_size=1, max_overflow=0, **options), begin="BEGIN IMMEDIATE")
        return Database(readers, writers)
    # Importing asyncpg takes tens of milliseconds, and is not needed with SQLite.
    from glas.db.connection import connect  # noqa: PLC0415

    given = {
        "timeout": _CONNECT_TIMEOUT_S,
        "command_timeout": statement_timeout_s,
        "server_settings": dict(POSTGRESQL_SETTINGS),
        "async_creator_fn": connect,
    }
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, connect_args=given, **options)
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    return Database(engine, engine)


def dialect(session: AsyncSession) -> str:
    """Return the name of the database system, `sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def insert(session: AsyncSession, table: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    """Make an INSERT statement that supports ON CONFLICT, for a table and for the database system of the session."""
    return insert_of(dialect(session), table_of(table))


def insert_of(dialect_name: str, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Make an INSERT statement that supports ON CONFLICT, for a table and for the database system `dialect_name`.

    Use this function for a statement that is built once and used many times; otherwise use `insert`.
    """
    return postgresql.insert(table) if dialect_name == "postgresql" else sqlite.insert(table)


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """Raise an error for a connection that the server has closed, so that the pool replaces the connection.

    An idle connection receives data only if the server closes the connection. So this function only looks for received
    data. SQLAlchemy's own `pool_pre_ping` sends a query at each use of a connection. This query needs three round trips
    to the server. A transaction itself needs only three or four round trips, so the query would almost double the time
    of the transaction.
    """
    resting = connection.driver_connection
    # The server may have closed the connection, although the event loop has not read this yet.
    if resting.is_closed() or has_input(resting.descriptor()):
        raise DisconnectionError("the server has closed this connection")


def _sqlite(engine: AsyncEngine, *, begin: str) -> AsyncEngine:
    """Set the pragmas of each connection, and begin transactions explicitly.

    This is necessary because Python's driver for SQLite begins a transaction only at the first write.
    """

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
