"""Back up PostgreSQL and an object store: write a dump of the database, then the objects, into an archive.

The parts may run during the backup. The dump is one consistent state of the database and of durable work. The objects
are copied after the dump, so every row of the dump has its objects, except objects that are deleted during the backup.
Objects without a row are harmless. `glas.launch.backups.server_restore` restores such a backup.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError

from glas.data_loader.app import make_store
from glas.db import migrations
from glas.db.deletions import Deletion
from glas.db.session import Database, database_url, open_database
from glas.db.tables import InstallationRow
from glas.db_assist import privacy
from glas.domain.errors import ConfigurationError, NotFoundError, ServiceFaultError
from glas.domain.object_keys import is_key
from glas.launch.backups.archive import POSTGRESQL, ArchiveWriter, BackupReport
from glas.launch.backups.postgres import dump, program
from glas.launch.exchange import OBJECTS
from glas.s3 import Store
from glas.settings import Settings

# Number of objects that are read at the same time, because each request waits for the network.
AT_ONCE: Final = 16


async def server_version(database: Database) -> int:
    """Return the major version of the PostgreSQL server, for example 17."""
    async with database.reading() as session:
        return int(str(await session.scalar(text("SHOW server_version_num")))) // 10_000


@asynccontextmanager
async def opened(url: URL) -> AsyncIterator[Database]:
    """Open a context with a database for statements that may take long.

    Raises:
        ConfigurationError: the database cannot be reached, or refuses a statement.
    """
    database = open_database(url, pool_size=1)
    try:
        await migrations.current(database)  # connects, so that an unreachable server is noticed here
        yield database
    except DBAPIError as error:
        # Only the first line of the message, because further lines may quote rows.
        raise ConfigurationError(f"the database refuses a statement: {str(error.orig).splitlines()[0]}") from error
    finally:
        await database.close()


def server_log(settings: Settings) -> tuple[str, list[Deletion]]:
    """Return the name of the installation, and all deletions of people's data that are recorded in the database.

    Raises:
        ConfigurationError: the database cannot be reached, or has tables of another version.
    """
    return asyncio.run(_log(database_url(settings)))


async def _log(url: URL) -> tuple[str, list[Deletion]]:
    async with opened(url) as database:
        await migrations.require_current(database)
        return await log_in_database(database)


async def log_in_database(database: Database) -> tuple[str, list[Deletion]]:
    """Return the same values as `server_log`, from an open database whose schema has the newest revision."""
    async with database.reading() as session:
        row = await session.get_one(InstallationRow, 1)
        return row.name, await privacy.deletions(session=session)


def copy_servers(archive: ArchiveWriter, _scratch: Path, settings: Settings) -> BackupReport:
    """Add a dump of the database and all objects of the object store to an archive."""
    return asyncio.run(_copy(archive, settings))


async def _copy(archive: ArchiveWriter, settings: Settings) -> BackupReport:
    url, store = database_url(settings), make_store(settings)
    async with opened(url) as database:
        pg_dump = program("pg_dump", await server_version(database))
    for number, part in enumerate(dump(pg_dump, url)):
        archive.add(f"{POSTGRESQL}/{number:06}.dump", part)
    n_objects = 0
    async for listed in store.listed():
        ours = [(key, size_bytes) for key, size_bytes in listed if is_key(key)]
        for start in range(0, len(ours), AT_ONCE):
            batch = ours[start : start + AT_ONCE]
            contents = await asyncio.gather(*(_content(store, *one) for one in batch))
            for (key, _), content in zip(batch, contents, strict=True):
                if content is not None:
                    archive.add(f"{OBJECTS}/{key}", content)
                    n_objects += 1
    return BackupReport(n_databases=1, n_objects=n_objects)


async def _content(store: Store, key: str, size_bytes: int) -> bytes | None:
    """Read an object; return None if it does not exist any more, for example after the command /forget."""
    try:
        content = b"".join([part async for part in store.stream(key, end=size_bytes)])
    except NotFoundError:
        return None
    if len(content) != size_bytes:
        raise ServiceFaultError(f"expected {size_bytes} bytes of {key}, got {len(content)}")
    return content
