"""Repeat, in a restored backup, the deletions of people's data that were made after the backup."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL, select

from glas.db import migrations
from glas.db.deletions import FILE, Deletion, DeletionLog, merged
from glas.db.session import Database, open_database
from glas.db.tables import TranscriptionRow
from glas.db_assist import privacy
from glas.launch.exchange import DATABASE, OBJECTS
from glas.system.files import to_disk

_REMEMBER: Final = "INSERT OR REPLACE INTO glas_forgotten (person, before_s) VALUES (?, ?)"


def log_in(data_dir: Path) -> DeletionLog:
    """Return the log of deletions of a data directory."""
    return DeletionLog(data_dir / FILE)


def log_beside(directory: Path, installation: str) -> DeletionLog:
    """Return the copy of an installation's log of deletions; `directory` contains this copy and the backups."""
    return DeletionLog(directory / f"glas-{installation}-{FILE}")


def copy_beside(log: Sequence[Deletion], directory: Path, installation: str) -> None:
    """Add the deletions in `log` to the copy of an installation's log of deletions.

    The directory `directory` contains this copy and the backups. A restore of an older backup in this directory reads
    the copy.
    """
    copy = log_beside(directory, installation)
    copy.write(installation, merged(log, copy.read()))


def known_deletions(data_dir: Path, directory: Path, installation: str | None) -> list[Deletion]:
    """Return the deletions that must be repeated in a restored backup of the embedded mode.

    Args:
        data_dir: the directory into which the backup is restored.
        directory: the directory of the backup.
        installation: name of the installation that made the backup; None if the backup contains no name, because an
            earlier version of Glas made it. Such a backup is assumed to belong to the installation of `data_dir`.
    """
    log = log_in(data_dir)
    if installation is None:
        return log.read()
    here = log.read() if log.path.exists() and log.installation() == installation else []
    return merged(here, log_beside(directory, installation).read())


def delete_files_again(unpacked: Path, deletions: Sequence[Deletion]) -> int:
    """Repeat deletions in an unpacked backup of the embedded mode.

    Returns:
        The number of people for whom a deletion was repeated.
    """
    path = unpacked / DATABASE
    if not deletions or not path.exists():
        return 0
    people = asyncio.run(_delete_in_file(path, unpacked / OBJECTS, deletions))
    # The durable engine deletes their work when it starts.
    for work in unpacked.glob("durable-*.sqlite") if people else ():
        _forget_work(work, people)
    to_disk(path)
    return len(people)


async def _delete_in_file(path: Path, objects: Path, deletions: Sequence[Deletion]) -> list[int]:
    opened = open_database(URL.create("sqlite+aiosqlite", database=str(path)))
    try:
        await migrations.upgrade(opened)
        return await delete_again(opened, objects, deletions)
    finally:
        await opened.close()


async def delete_again(database: Database, objects: Path, deletions: Sequence[Deletion]) -> list[int]:
    """Repeat deletions in a restored database, and in the directory `objects` with the unpacked objects of the backup.

    Returns:
        The Telegram ids of the people whose whole data was deleted again. People of whom only messages were deleted are
        not returned.
    """
    async with database.writing() as session:
        found = [await privacy.forget_again(deletion, session=session) for deletion in deletions]
        gone = {number for deletion in deletions for number in deletion.transcription_ids}
        gone -= set(await session.scalars(select(TranscriptionRow.id)))
    for transcription_id in gone:
        shutil.rmtree(objects / str(transcription_id), ignore_errors=True)
    return [person for person in found if person is not None]


def _forget_work(path: Path, people: Sequence[int]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'glas_forgotten'").fetchone():
            connection.executemany(_REMEMBER, [(str(person), time.time()) for person in people])
