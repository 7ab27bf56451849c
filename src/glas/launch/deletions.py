"""Delete again, in a restored backup, the data of people who asked for deletion after it was made."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from glas.db import migrations
from glas.db.deletions import FILE, Deletion, DeletionLog, merged
from glas.db.session import open_database
from glas.db_assist import privacy
from glas.system.files import to_disk

_REMEMBER: Final = "INSERT OR REPLACE INTO glas_forgotten (person, before_s) VALUES (?, ?)"


def log_in(data_dir: Path) -> DeletionLog:
    """Return the log of a data directory."""
    return DeletionLog(data_dir / FILE)


def log_beside(directory: Path, installation: str) -> DeletionLog:
    """Return the copy of an installation's log in the directory of its backups."""
    return DeletionLog(directory / f"glas-{installation}-{FILE}")


def copy_beside(data_dir: Path, directory: Path) -> str:
    """Update the copy of the log in the directory of the backups; return the installation's name."""
    log = log_in(data_dir)
    installation = log.installation()
    copy = log_beside(directory, installation)
    copy.write(installation, merged(log.read(), copy.read()))
    return installation


def known_deletions(data_dir: Path, directory: Path, installation: str | None) -> list[Deletion]:
    """Return the deletions that concern a backup.

    Args:
        data_dir: the directory into which the backup is restored.
        directory: the directory of the backup.
        installation: name of the installation in the backup; None for a backup of an earlier version, which contains no
            name and is assumed to belong to this data directory.
    """
    log = log_in(data_dir)
    if installation is None:
        return log.read()
    here = log.read() if log.path.exists() and log.installation() == installation else []
    return merged(here, log_beside(directory, installation).read())


def delete_again(unpacked: Path, database: str, objects: str, deletions: Sequence[Deletion]) -> int:
    """Delete from an unpacked backup the data that was deleted after the backup was made.

    Args:
        unpacked: the directory.
        database: name of the database file in it.
        objects: name of the directory of objects in it.
        deletions: the known deletions.

    Returns:
        The number of people whose data was deleted again.
    """
    if not deletions or not (unpacked / database).exists():
        return 0
    people = asyncio.run(_delete_rows(unpacked / database, deletions))
    for transcription_id in {number for deletion in deletions for number in deletion.transcription_ids}:
        shutil.rmtree(unpacked / objects / str(transcription_id), ignore_errors=True)
    # The durable engine deletes their work when it starts.
    for path in unpacked.glob("durable-*.sqlite") if people else ():
        _forget_work(path, people)
    to_disk(unpacked / database)
    return len(people)


async def _delete_rows(path: Path, deletions: Sequence[Deletion]) -> list[int]:
    """Delete the rows; return the Telegram ids of the people whose data the backup contained."""
    opened = open_database(URL.create("sqlite+aiosqlite", database=str(path)))
    try:
        await migrations.upgrade(opened)
        async with opened.writing() as session:
            found = [await privacy.forget_again(deletion, session=session) for deletion in deletions]
    finally:
        await opened.close()
    return [person for person in found if person is not None]


def _forget_work(path: Path, people: Sequence[int]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'glas_forgotten'").fetchone():
            connection.executemany(_REMEMBER, [(str(person), time.time()) for person in people])
