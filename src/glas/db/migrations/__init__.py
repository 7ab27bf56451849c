"""Migrations: written by hand, dated, shipped inside the package, run from here and never by a configuration file."""

from importlib import resources
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from glas.db.session import Database
from glas.domain.errors import ConfigurationError

# Any number that no other program takes in this database: two migrations at once wait for each other.
_LOCK: Final = 7_341_911_022_026


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision, in one transaction; a failure leaves everything as it was.

    Raises:
        ConfigurationError: the schema stands at a revision that this program does not know.
    """
    async with database.writers.begin() as connection:
        await connection.run_sync(_upgrade, revision)


async def downgrade(database: Database, revision: str = "base") -> None:
    """Take the schema down to a revision; `base` leaves nothing."""
    async with database.writers.begin() as connection:
        await connection.run_sync(_downgrade, revision)


async def current(database: Database) -> str | None:
    """The revision at which the schema stands; None for an empty database."""
    async with database.writers.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def head() -> str:
    """The newest revision that this version of the program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise ConfigurationError("expected migrations inside the package glas.db, found none")
    return revision


async def require_current(database: Database) -> None:
    """Refuse to work on a schema of another version.

    Raises:
        ConfigurationError: it is older or newer than the program, or the database does not answer.
    """
    try:
        found = await current(database)
    except (OSError, DBAPIError) as error:
        raise ConfigurationError(f"cannot open the database ({type(error).__name__}): see GLAS_DATABASE_URL") from error
    if found != head():
        raise ConfigurationError(
            f"expected the database at revision {head()}, found {found or 'an empty one'}; run: glas migrate"
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files(__name__)))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    _wait_for_others(connection)
    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise ConfigurationError(f"cannot migrate the database, was it used by a newer Glas? ({error})") from error


def _downgrade(connection: Connection, revision: str) -> None:
    _wait_for_others(connection)
    command.downgrade(_config(connection), revision)
    if revision == "base":
        connection.execute(text("DROP TABLE alembic_version"))


def _wait_for_others(connection: Connection) -> None:
    # SQLite's BEGIN IMMEDIATE waits already.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
