"""Run the Alembic migrations of the database. They are part of this package, so there is no `alembic.ini`."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from types import MappingProxyType
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from glas.db import roles
from glas.db.session import Database
from glas.domain.errors import ConfigurationError

# The number of a lock, by which two migrations at the same time wait for each other. No other program may use this
# number in the database.
_LOCK: Final = 7_341_911_022_026


async def upgrade(
    database: Database, revision: str = "head", *, passwords: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Upgrade the schema to a revision in one transaction, and set the rights of roles; see `glas.db.roles`.

    If an error occurs, nothing is changed.

    Args:
        database: the open database.
        revision: the target revision; if it is older than `head`, the roles have no rights afterwards.
        passwords: passwords of the database roles to create; the keys of the dictionary are names in `roles.ROLES`.

    Raises:
        ConfigurationError: the schema has a revision that this program does not know, or the database cannot be
            reached.
    """
    with _reached():
        async with database.writers.begin() as connection:
            await connection.run_sync(_upgrade, revision, passwords)


async def downgrade(database: Database, revision: str = "base") -> None:
    """Downgrade the schema to a revision; `base` removes all tables."""
    async with database.writers.begin() as connection:
        await connection.run_sync(_downgrade, revision)


async def current(database: Database) -> str | None:
    """Return the revision of the schema; None for an empty database.

    Raises:
        ConfigurationError: the database cannot be reached.
    """
    with _reached():
        async with database.reading() as session:
            connection = await session.connection()
            return await connection.run_sync(_current)


@functools.cache
def head() -> str:
    """Return the newest revision that this version of the program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise ConfigurationError("expected migrations inside the package glas.db, found none")
    return revision


async def require_current(database: Database) -> None:
    """Check that the schema has the newest revision.

    Raises:
        ConfigurationError: the schema is older or newer than the program, or the database cannot be reached.
    """
    found = await current(database)
    if found != head():
        raise ConfigurationError(
            f"expected the database at revision {head()}, found {found or 'an empty one'}; run: glas migrate"
        )


async def require_not_older(database: Database) -> None:
    """Check that the schema is not older than the newest revision that this program knows.

    A running program accepts a newer schema, because migrations only add tables and columns that the older program does
    not use.

    Raises:
        ConfigurationError: the schema has an older revision, or the database cannot be reached.
    """
    found = await current(database)
    if found is None or (found != head() and found in _known()):
        raise ConfigurationError(
            f"expected the database at revision {head()} or a newer one, found {found or 'an empty one'}"
        )


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OSError, DBAPIError) as error:
        # The text of the database's error may contain the name of the user, but never the password.
        reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
        raise ConfigurationError(f"cannot use the database of GLAS_DATABASE_URL: {reason}") from error


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files(__name__)).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, revision: str, passwords: Mapping[str, str]) -> None:
    _wait_for_others(connection)
    has_roles = connection.dialect.name == "postgresql"
    if has_roles:
        roles.prepare(connection)
    try:
        # To find nothing to do, Alembic would load all migrations a second time.
        if revision != "head" or _current(connection) != head():
            command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise ConfigurationError(f"cannot migrate the database, was it used by a newer Glas? ({error})") from error
    if has_roles and revision == "head":
        roles.grant(connection, passwords)


def _downgrade(connection: Connection, revision: str) -> None:
    _wait_for_others(connection)
    if connection.dialect.name == "postgresql":
        roles.prepare(connection)
    command.downgrade(_config(connection), revision)
    if revision == "base":
        connection.execute(text("DROP TABLE alembic_version"))


def _wait_for_others(connection: Connection) -> None:
    # With SQLite, BEGIN IMMEDIATE already waits for the other migration.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
