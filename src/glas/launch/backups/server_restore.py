"""Restore a backup into PostgreSQL and an object store.

First, the whole backup is unpacked and compared with its manifest. The schemas of the database are then renamed, the
dump is loaded, and the objects are written. After that, the old schemas are deleted. The objects that the backup does
not contain are deleted, too. If an error occurs before these deletions, the old schemas are renamed back. If the
process is killed before these deletions, the next restore renames the old schemas back.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncSession

from glas.data_loader.app import make_store
from glas.db import migrations
from glas.db.deletions import Deletion, merged
from glas.db.session import Database, database_url
from glas.domain.errors import ConfigurationError, ConflictError, WouldReplaceError
from glas.domain.object_keys import is_key
from glas.launch.backups.archive import POSTGRESQL
from glas.launch.backups.deletions import copy_beside, delete_again, log_beside
from glas.launch.backups.postgres import load, program
from glas.launch.backups.server_backup import AT_ONCE, log_in_database, opened, server_version
from glas.launch.exchange import OBJECTS
from glas.s3 import Store
from glas.settings import Settings

_FORMER: Final = "glas_former_"
_SCHEMAS: Final = text("SELECT nspname FROM pg_namespace WHERE nspname = 'public' OR nspname LIKE 'durable\\_%'")
_FORMER_SCHEMAS: Final = text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'glas\\_former\\_%'")
# The server's own background workers have no user name, so they are not counted.
_CONNECTIONS: Final = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
)

_ATTEMPTS: Final = 10
_PAUSE_S: Final = 0.2


def restore_servers(settings: Settings, unpacked: Path, beside: Path, installation: str | None, *, force: bool) -> int:
    """Load an unpacked backup into the database and the object store that the settings name.

    Args:
        settings: the settings, which name the object store and the URL of the database. The user in this URL must be
            the owner of the database.
        unpacked: directory of the backup's files, which the caller has compared with the manifest. If a deletion of a
            person's data is repeated, the person's objects are deleted in this directory.
        beside: directory that contains the backup and the copy of the log of deletions.
        installation: name of the installation that made the backup; None if the backup contains no name.
        force: whether to replace existing data.

    Returns:
        The number of people for whom a deletion was repeated.

    Raises:
        ConfigurationError: the backup was made in the embedded mode, the database cannot be reached, or `pg_restore` is
            missing or too old.
        BackupError: PostgreSQL refuses the dump; nothing was changed.
        ConflictError: other programs are connected to the database.
        WouldReplaceError: the database or the object store already contains data, and `force` is not set.
    """
    if not (unpacked / POSTGRESQL).is_dir():
        raise ConfigurationError(
            "expected a backup of PostgreSQL, as GLAS_DATABASE_URL names one, got one of the embedded mode: "
            "unset GLAS_DATABASE_URL and GLAS_S3_ENDPOINT to restore it into GLAS_DATA_DIR"
        )
    return asyncio.run(_restore(settings, unpacked, beside, installation, force=force))


async def _restore(settings: Settings, unpacked: Path, beside: Path, installation: str | None, *, force: bool) -> int:
    url, store = database_url(settings), make_store(settings)
    async with opened(url) as database:
        pg_restore = program("pg_restore", await server_version(database))
        await _require_alone(database)
        async with database.writing() as session:
            await _bring_back(session)
        if not force and (await _holds_rows(database) or await _holds_objects(store)):
            raise WouldReplaceError("expected an empty database and bucket, found data; --force replaces it")
        deletions = await _known_deletions(url, beside, installation)
        async with _exchanged(database):
            parts = sorted((unpacked / POSTGRESQL).iterdir())
            load(pg_restore, url, (part.read_bytes() for part in parts))
            await migrations.upgrade(database)
            people = await delete_again(database, unpacked / OBJECTS, deletions)
            await _put(store, unpacked / OBJECTS)
        await _delete_others(store, unpacked / OBJECTS)
    return len(people)


async def _require_alone(database: Database) -> None:
    """Check that no other programs are connected to the database; otherwise, raise an error.

    If there are other connections, this is checked several times, because the server notices the end of a connection
    late.
    """
    for _ in range(_ATTEMPTS):
        async with database.reading() as session:  # a new transaction sees new connections
            others = await session.scalar(_CONNECTIONS)
        if not others:
            return
        await asyncio.sleep(_PAUSE_S)
    raise ConflictError(f"expected nobody else at the database, found {others} connections; stop the parts")


async def _holds_rows(database: Database) -> bool:
    """Return whether the database contains people, messages or durable work.

    `glas migrate` alone creates none of these.
    """
    async with database.reading() as session:
        if any(name != "public" for name in await session.scalars(_SCHEMAS)):
            return True
        for table in ("public.users", "public.transcriptions"):
            is_there = await session.scalar(text(f"SELECT to_regclass('{table}') IS NOT NULL"))
            if is_there and await session.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {table})")):  # noqa: S608 - ours
                return True
    return False


async def _holds_objects(store: Store) -> bool:
    async for listed in store.listed():
        if any(is_key(key) for key, _ in listed):
            return True
    return False


async def _known_deletions(url: URL, beside: Path, installation: str | None) -> list[Deletion]:
    """Return the deletions to repeat: those in the current database, and those in the log beside the backup.

    The deletions in the current database are used only if this database belongs to the installation of the backup.
    These deletions are also added to the log beside the backup, because the restore replaces the current database.
    """
    if installation is None:
        return []
    logged = log_beside(beside, installation).read()
    async with opened(url) as database:
        # A database that is empty, or has tables of another version, contains no name of an installation.
        if await migrations.current(database) != migrations.head():
            return logged
        name, here = await log_in_database(database)
    if name != installation:
        return logged
    known = merged(here, logged)
    if len(known) > len(logged):
        # Some deletions are recorded only in the present database, which is deleted later.
        copy_beside(known, beside, installation)
    return known


@asynccontextmanager
async def _exchanged(database: Database) -> AsyncIterator[None]:
    """Open a context in which the current schemas have other names, so that their names are free for the dump.

    At the end of the context, the renamed schemas are deleted. If an error occurs, the schemas get their names back.
    """
    async with database.writing() as session:
        for name in (await session.scalars(_SCHEMAS)).all():
            await session.execute(text(f'ALTER SCHEMA "{name}" RENAME TO "{_FORMER}{name}"'))
    try:
        yield
    except BaseException:
        async with database.writing() as session:
            await _bring_back(session)
        raise
    async with database.writing() as session:
        await _drop(session, (await session.scalars(_FORMER_SCHEMAS)).all())


async def _bring_back(session: AsyncSession) -> None:
    """Drop the schemas that a failed restore has created, and give the renamed schemas their names back."""
    former = (await session.scalars(_FORMER_SCHEMAS)).all()
    if not former:
        return
    await _drop(session, (await session.scalars(_SCHEMAS)).all())
    for name in former:
        await session.execute(text(f'ALTER SCHEMA "{name}" RENAME TO "{name.removeprefix(_FORMER)}"'))


async def _drop(session: AsyncSession, schemas: Sequence[str]) -> None:
    for name in schemas:
        await session.execute(text(f'DROP SCHEMA "{name}" CASCADE'))


async def _put(store: Store, objects: Path) -> None:
    """Write all unpacked objects to the store; an object with other content under the same key is replaced."""
    paths = [Path(folder) / name for folder, _, names in os.walk(objects) for name in names]
    for start in range(0, len(paths), AT_ONCE):
        await asyncio.gather(*(_put_one(store, objects, path) for path in paths[start : start + AT_ONCE]))


async def _put_one(store: Store, objects: Path, path: Path) -> None:
    key, content = path.relative_to(objects).as_posix(), await asyncio.to_thread(path.read_bytes)
    try:
        await store.put(key, content)
    except ConflictError:  # an object of a message that the backup does not contain, or of another installation
        await store.delete([key])
        await store.put(key, content)


async def _delete_others(store: Store, objects: Path) -> None:
    """Delete the objects in the object store that the backup does not contain."""
    async for listed in store.listed():
        others = [key for key, _ in listed if is_key(key) and not (objects / key).exists()]
        if others:
            await store.delete(others)
