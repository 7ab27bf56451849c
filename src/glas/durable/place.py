"""Define where durable work is stored: in a separate SQLite file, or in a schema of a PostgreSQL database."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from glas.system import sockets
from glas.system.files import make_directory, put_in_place

# DBOS uses `subsec` for the times in its rows. Older SQLite libraries do not know `subsec`, so the times would be NULL
# or whole seconds.
_KNOWS_SUBSECONDS = sqlite3.sqlite_version_info >= (3, 42)
_BUSY_TIMEOUT_MS = 30_000
_POSTGRES_POOL_SIZE = 20
_IDLE_TRANSACTION_MS = 60_000
_CONNECT_TIMEOUT_S = 5  # for each server
# SQLite permits one writer at a time. Connections that wait in a queue lose less time than with SQLite's own pauses
# between attempts.
_SQLITE_POOL_SIZE = 4

_log = structlog.stdlib.get_logger("glas.durable")


@dataclass(frozen=True)
class Place:
    """A database in which the durable engine stores work.

    Attributes:
        url: SQLAlchemy's URL of the database.
        schema: the PostgreSQL schema. Parts in separate processes have separate schemas, because otherwise they would
            claim each other's work.
        former: another file or schema, in which an older version of Glas stored durable work; None if there is none.
    """

    url: str
    schema: str | None = None
    former: str | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether the place is an SQLite file."""
        return self.url.startswith("sqlite")

    def open(self) -> sa.Engine:
        """Open the database."""
        return _open_sqlite(self.url) if self.is_sqlite else _open_postgres(self.url)

    def adopt(self) -> None:
        """Rename the former file or schema to the present name.

        If both names exist, log a warning and change nothing.
        """
        if self.former is None:
            return
        if self.is_sqlite:
            _adopt_file(Path(self.former), Path(str(sa.make_url(self.url).database)))
        elif self.schema is not None:
            _adopt_schema(self.url, self.former, self.schema)


def sqlite_place(path: Path, *, former: Path | None = None) -> Place:
    """Describe durable work that is stored in a SQLite file, and create the directory of this file.

    Args:
        path: path of the file.
        former: path of the file in which an older version of Glas stored durable work; None if there is none. No other
            process may have this file open.
    """
    make_directory(path.parent)
    return Place(f"sqlite:///{path}", former=None if former is None else str(former))


def postgres_place(url: str, part: str, *, former: str | None = None) -> Place:
    """Describe durable work that is stored in a schema of a PostgreSQL database.

    Args:
        url: URL of the database. The driver in the URL is ignored.
        part: name of the part whose work is stored. The schema has the name `durable_<part>`.
        former: end of the name of the schema (`durable_<former>`) in which an older version of Glas stored durable
            work; None if there is none.
    """
    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    schema = None if former is None else f"durable_{former}"
    return Place(address.render_as_string(hide_password=False), f"durable_{part}", schema)


def is_away(error: Exception) -> bool:
    """Return whether an error means that the database cannot be reached."""
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError | OSError)


def _adopt_file(former: Path, path: Path) -> None:
    if not former.exists():
        return
    if path.exists():
        _log.warning("work may be left in a file of an older version", left=str(former), used=str(path))
        return
    with closing(sqlite3.connect(former, timeout=_BUSY_TIMEOUT_MS / 1000)) as connection:
        # First, the journal is written into the file. Only this file is renamed, so a journal under the old name would
        # be lost.
        connection.execute("PRAGMA journal_mode=DELETE")
    put_in_place(former, path)
    _log.info("the durable work has a new name", was=former.name, now=path.name)


def _adopt_schema(url: str, former: str, schema: str) -> None:
    engine = _open_postgres(url)
    try:
        with engine.begin() as connection:
            found = set(sa.inspect(connection).get_schema_names())
            if former not in found:
                return
            if schema in found:
                _log.warning("work may be left in a schema of an older version", left=former, used=schema)
                return
            connection.execute(sa.text(f'ALTER SCHEMA "{former}" RENAME TO "{schema}"'))
            _log.info("the durable work has a new name", was=former, now=schema)
    finally:
        engine.dispose()


def _open_postgres(url: str) -> sa.Engine:
    # A process that hangs within a transaction must not hold its locks for ever.
    session = {"idle_in_transaction_session_timeout": str(_IDLE_TRANSACTION_MS)} | sockets.POSTGRESQL_SETTINGS
    wanted = {
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "connect_timeout": _CONNECT_TIMEOUT_S,
        # A server that stops answering must not block this process.
        "keepalives_idle": sockets.IDLE_S,
        "keepalives_interval": sockets.INTERVAL_S,
        "keepalives_count": sockets.PROBES,
        "tcp_user_timeout": sockets.UNACKNOWLEDGED_MS,
    }
    given = {name: value for name, value in wanted.items() if name not in sa.make_url(url).query}
    engine = sa.create_engine(url, pool_size=_POSTGRES_POOL_SIZE, max_overflow=0, connect_args=given)

    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "checkout", _refuse_dead)
    return engine


def _connect(dialect: sa.Dialect, _record: Any, arguments: Any, options: Any) -> Any:
    """Connect to the database; if this fails, add to the error the code by which DBOS recognises temporary errors.

    Without the code, DBOS recognises only those temporary errors whose message contains certain texts. After any other
    error, the work counts as failed and is never done.
    """
    # psycopg takes time to import, and is not needed with SQLite.
    from psycopg import OperationalError, errors  # noqa: PLC0415

    try:
        return dialect.connect(*arguments, **options)
    except OperationalError as error:
        if error.sqlstate is None:
            raise errors.SqlclientUnableToEstablishSqlconnection(str(error)) from error
        raise


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Raise an error for a connection that the server has closed, so that the pool replaces the connection.

    An idle connection receives data only if the server closes the connection. So this check only tests whether data has
    arrived, and needs no query.
    """
    if connection.closed or sockets.has_input(connection.fileno()):
        raise sa.exc.DisconnectionError("the server has closed this connection")


def _open_sqlite(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=_SQLITE_POOL_SIZE, max_overflow=0)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Transactions that write wait for each other at their beginning; otherwise one could fail in the middle.
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        # What is confirmed to Telegram must survive a power cut; NORMAL may lose the last transactions.
        connection.execute("PRAGMA synchronous=FULL")
        # What a person asked to be forgotten must not stay readable in the file's free pages.
        connection.execute("PRAGMA secure_delete=ON")
        if not _KNOWS_SUBSECONDS:
            connection.create_function("unixepoch", 1, lambda _modifier: time.time())

    return engine
