"""Write a backup: one tar with the databases, the objects, and a manifest with the sha256 of each file.

In the embedded mode all data is in the data directory. The server may run during the backup. Therefore the order of the
copies is: durable work, then the database, then the objects. In this order, the copy of the durable work may be older
than the copy of the database. Then some steps are repeated after a restore. This is harmless, because each step can be
repeated. An object to which no row of the copied database refers is also harmless. In another order, rows or objects
could be missing from the backup. `glas.launch.backups.server_backup` copies PostgreSQL and S3.
`glas.launch.backups.restore` restores a backup.

The log of deletions is copied into the directory of the backup, because a restore of an older backup in this directory
reads the log; see `glas.launch.backups.deletions`.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from glas.db.deletions import Deletion
from glas.domain.errors import ConfigurationError, NotFoundError, WouldReplaceError
from glas.launch.backups.archive import NAME, ArchiveWriter, BackupReport, written
from glas.launch.backups.deletions import copy_beside, log_in
from glas.launch.backups.encryption import encrypting, recipients_of
from glas.launch.backups.server_backup import copy_servers, server_log
from glas.launch.exchange import DATABASE, OBJECTS, WORK_PATTERN
from glas.settings import Settings, plain
from glas.system.files import make_directory, put_in_place

_BUSY_S = 30.0
# The store writes a file under a name with this ending, and renames the finished file.
_DRAFT = ".part"


def is_on_servers(settings: Settings) -> bool:
    """Return whether the data is in PostgreSQL and S3; False if all data is in the data directory.

    Raises:
        ConfigurationError: only the database or only the object store is on a server.
    """
    url = plain(settings.database_url)
    is_postgresql = url is not None and url.startswith("postgres")
    if (url is not None and not is_postgresql) or is_postgresql != (settings.s3_endpoint is not None):
        raise ConfigurationError(
            "expected GLAS_DATABASE_URL of PostgreSQL together with GLAS_S3_ENDPOINT, or neither, for a backup of all "
            "data; got one without the other"
        )
    return is_postgresql


def back_up(settings: Settings, target: Path, *, recipients: Sequence[str] = (), force: bool = False) -> BackupReport:
    """Write a backup of all data under a temporary name, sync it to disk, and rename it to `target`.

    Args:
        settings: the settings, which say where the data is.
        target: path of the backup.
        recipients: public keys for which the backup is encrypted; see `glas.launch.backups.encryption`.
        force: whether to replace an existing file.

    Raises:
        ConfigurationError: only the database or only the object store is on a server, PostgreSQL cannot be reached, or
            `pg_dump` is missing or too old.
        InvalidParameterError: a recipient is not a public key.
        NotFoundError: there is no data to back up.
        WouldReplaceError: the file `target` exists, and `force` is not set.
        OSError: the backup cannot be written, or the disk is full.
    """
    fill, log = (copy_servers, server_log) if is_on_servers(settings) else (_copy_files, _file_log)
    keys = recipients_of(recipients)
    if not force:
        _require_free(target)
    installation, _ = log(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (
        # This directory is in the data directory and not beside the backup, because its files are not encrypted.
        tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".backup-") as scratch,
        _draft(target, force=force) as file,
        encrypting(file, keys) as plain_file,
        written(plain_file, Path(scratch), installation) as archive,
    ):
        report = fill(archive, Path(scratch), settings)
    _, deletions = log(settings)
    copy_beside(deletions, target.parent, installation)
    return replace(report, size_bytes=target.stat().st_size)


@contextmanager
def _draft(target: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """Open a context with a temporary file; at the end of the context, sync the file and rename it to `target`.

    Raises:
        WouldReplaceError: the target exists when the backup is finished, and `force` is not set.
    """
    make_directory(target.parent)
    # The backup contains voices and texts of people: only its owner may read the directory and the file.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        draft = Path(folder) / "backup.tar"
        with draft.open("xb") as file:
            yield file
        draft.chmod(0o600)
        if not force:
            _require_free(target)  # another backup may have ended meanwhile
        put_in_place(draft, target)


def _require_free(target: Path) -> None:
    if target.exists():
        raise WouldReplaceError(f"{target.absolute()} exists already; --force replaces it")


def databases_in(data_dir: Path) -> list[Path]:
    """Return the SQLite files of a data directory, in the order in which they must be copied."""
    work = sorted(data_dir.glob(WORK_PATTERN))
    database = data_dir / DATABASE
    return [*work, database] if database.exists() else work


def _file_log(settings: Settings) -> tuple[str, list[Deletion]]:
    if not databases_in(settings.data_dir):
        place = settings.data_dir.absolute()
        raise NotFoundError(f"expected {DATABASE} in {place}, got none: nothing to back up")
    log = log_in(settings.data_dir)
    return log.installation(), log.read()


def _copy_files(archive: ArchiveWriter, scratch: Path, settings: Settings) -> BackupReport:
    databases = databases_in(settings.data_dir)
    for database in databases:
        copy = scratch / database.name
        _copy_database(database, copy)
        archive.add_file(copy, database.name)
        copy.unlink()
    paths = _objects(settings.data_dir / OBJECTS)
    n_objects = sum(archive.add_file(path, path.relative_to(settings.data_dir).as_posix()) for path in paths)
    return BackupReport(len(databases), n_objects)


def _copy_database(source: Path, copy: Path) -> None:
    """Copy a database with SQLite's backup function; the copy is consistent even if other processes write."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)) as origin,
        closing(sqlite3.connect(copy)) as destination,
    ):
        origin.backup(destination)


def _objects(directory: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(directory):
        names.sort()
        for path in (Path(folder) / name for name in sorted(files) if not name.endswith(_DRAFT)):
            # Skip files that Glas did not write.
            if NAME.fullmatch(path.relative_to(directory.parent).as_posix()):
                yield path
