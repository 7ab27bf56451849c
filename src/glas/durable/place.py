"""Where durable work is remembered: an SQLite file of its own, or a schema of a PostgreSQL server."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

# Older libraries know no `subsec`, and DBOS stamps its rows with it: they would be NULL, or whole seconds.
_KNOWS_SUBSECONDS = sqlite3.sqlite_version_info >= (3, 42)
_BUSY_TIMEOUT_MS = 30_000
_POOL_SIZE = 10
# SQLite has one writer; connections that wait for it in a fair queue lose less time than in its own sleeps.
_SQLITE_POOL_SIZE = 4


@dataclass(frozen=True)
class Place:
    """A database of the durable engine.

    Attributes:
        url: SQLAlchemy's address of it.
        schema: the PostgreSQL schema; each part that runs apart has its own, or parts would claim each other's work.
    """

    url: str
    schema: str | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.url.startswith("sqlite")

    def open(self) -> sa.Engine:
        """Connect to it."""
        return _open_sqlite(self.url) if self.is_sqlite else _open_postgres(self.url)


def sqlite_place(path: Path) -> Place:
    """A file; its directory is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Place(f"sqlite:///{path}")


def postgres_place(url: str, part: str) -> Place:
    """A schema of `part` alone on the server that `url` names, whatever driver the address asks for."""
    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    return Place(address.render_as_string(hide_password=False), f"durable_{part}")


def _open_postgres(url: str) -> sa.Engine:
    return sa.create_engine(url, pool_size=_POOL_SIZE, max_overflow=0, pool_pre_ping=True)


def _open_sqlite(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=_SQLITE_POOL_SIZE, max_overflow=0)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Writers queue up instead of meeting half-way through a transaction.
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        # What is confirmed to Telegram must survive a power cut; NORMAL may lose the last transactions.
        connection.execute("PRAGMA synchronous=FULL")
        if not _KNOWS_SUBSECONDS:
            connection.create_function("unixepoch", 1, lambda _modifier: time.time())

    return engine
