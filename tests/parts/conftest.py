"""Fixtures for the tests of parts: databases, and a bot for each module.

SQLite is a copied file, PostgreSQL one database that is emptied for each test. Both are migrated once; to do it for
each test would take longer than the tests.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
import structlog
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from glas.clients.db_assist import DbAssistClient
from glas.db import migrations, roles
from glas.db.session import open_database
from glas.db.tables import Base, ChangeCounterRow, InstallationRow
from glas.settings import Settings
from tests.conftest import Postgres
from tests.parts.bots import House, open_house
from tests.parts.recogniser import Recogniser, open_recogniser
from tests.parts.voices import open_db_assist
from tests.telegram.server import TelegramServer

PASSWORDS = {role: f"the-password-of-{role}-in-tests" for role in roles.ROLES}


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The URL of a database with our tables, as its owner."""
    url = postgres.create("glas_parts")
    asyncio.run(_migrate(make_url(url).set(drivername="postgresql+asyncpg")))
    return url


def as_role(url: str, role: str) -> str:
    """Return the database's URL for one of its roles; the test server requires no password."""
    address = make_url(url)
    return address.set(username=f"{address.database}_{role}").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables."""
    path = tmp_path_factory.mktemp("sqlite") / "glas.db"
    asyncio.run(_migrate(URL.create("sqlite+aiosqlite", database=str(path))))
    return path


async def _migrate(url: URL) -> None:
    database = open_database(url)
    await migrations.upgrade(database, passwords=PASSWORDS)
    await database.close()


@pytest.fixture
def empty_postgres(migrated_postgres: str) -> str:
    """The migrated PostgreSQL without rows."""
    with psycopg.connect(migrated_postgres) as connection:
        # As a replica the server lets even the ledger be emptied.
        connection.execute("SET session_replication_role = replica")
        kept = (ChangeCounterRow.__tablename__, InstallationRow.__tablename__)
        names = [sql.Identifier(name) for name in Base.metadata.tables if name not in kept]
        # In one call, since each call waits for the server.
        connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))
    return migrated_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings whose database is empty and migrated: the embedded file, or a PostgreSQL as db_assist uses it."""
    if request.param == "sqlite":
        settings.data_dir.mkdir()
        shutil.copy(request.getfixturevalue("migrated_sqlite"), settings.data_dir / "glas.db")
        return settings
    url = as_role(request.getfixturevalue("empty_postgres"), roles.APP)
    return settings.model_copy(update={"database_url": SecretStr(url)})


@pytest.fixture
def owner_settings(database_settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The database of `database_settings`, with all rights."""
    if database_settings.database_url is None:
        return database_settings
    url: str = request.getfixturevalue("migrated_postgres")
    return database_settings.model_copy(update={"database_url": SecretStr(url)})


@pytest.fixture
async def db_assist(database_settings: Settings) -> AsyncIterator[DbAssistClient]:
    """db_assist in this process, with SQLite and with PostgreSQL."""
    async with open_db_assist(database_settings) as client:
        yield client


@pytest.fixture(scope="module")
def house_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a module's bot; a module that needs other settings overrides this fixture."""
    return Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("bot"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def recogniser() -> AsyncIterator[Recogniser]:
    """A recogniser of the module."""
    async with open_recogniser() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(house_settings: Settings, recogniser: Recogniser) -> AsyncIterator[House]:
    """The whole system with that recogniser, for all tests of a module; each test makes its own people."""
    with TelegramServer() as telegram:
        async with open_house(house_settings, telegram, recogniser.client) as opened:
            yield opened


@pytest.fixture
def plain_log() -> Iterator[None]:
    """Log to standard output, whatever the tests before have set up; pytest's `capsys` sees it."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
