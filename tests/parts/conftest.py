"""Databases for the tests of parts: SQLite in a file, PostgreSQL from a template that was migrated once."""

import asyncio
import itertools
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from glas.db import migrations
from glas.db.session import open_database
from glas.settings import Settings
from tests.conftest import Postgres

_TEMPLATE = "glas_template"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Callable[[], str]:
    """Make a database with our tables, and give its URL; copying a template takes a tenth of a second."""
    url = make_url(postgres.create(_TEMPLATE)).set(drivername="postgresql+asyncpg")

    async def migrate() -> None:
        database = open_database(url)
        await migrations.upgrade(database)
        await database.close()

    asyncio.run(migrate())
    return lambda: postgres.create(f"glas_{next(_numbers)}", _TEMPLATE)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings whose database is empty and migrated: the embedded file, or a PostgreSQL."""
    if request.param == "sqlite":
        return settings
    make: Callable[[], str] = request.getfixturevalue("migrated_postgres")
    return settings.model_copy(update={"database_url": SecretStr(make())})
