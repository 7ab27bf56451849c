"""Backup of the embedded mode: one tar with the databases, the objects, and a manifest of their sha256.

The server may run meanwhile, so the order of the copies matters: durable work, then the database, then the objects.
Work that is older than the database only repeats steps, which is harmless. An object that no row names yet is harmless
too. In another order, rows or objects would be missing. `glas.launch.restore` restores a backup.

The log of deletions is copied into the directory of the backup, because older backups there need it; see
`glas.launch.deletions`.
"""

import hashlib
import io
import json
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self

import glas
from glas.domain.errors import ConfigurationError, NotFoundError, WouldReplaceError
from glas.launch.deletions import copy_beside, log_in
from glas.settings import Settings
from glas.system.files import to_disk

MANIFEST: Final = "manifest.jsonl"
FORMAT: Final = 1
DATABASE: Final = "glas.db"
WORK_PATTERN: Final = "durable-*.sqlite"
OBJECTS: Final = "s3"

# What a backup may hold, and so what may be written when it is put back.
NAME: Final = re.compile(r"manifest\.jsonl|glas\.db|durable-[\w-]+\.sqlite|s3(/[\w-][\w.-]*)+")

_PART_BYTES = 1024 * 1024
_BUSY_S = 30.0
# Writes of the store that have not got their name yet.
_DRAFT = ".part"


@dataclass(frozen=True)
class BackupReport:
    """The contents of a backup."""

    n_databases: int
    n_objects: int
    size_bytes: int
    n_forgotten: int = 0
    """People whose data a restore deleted again, because they had asked for deletion after the backup."""


def require_embedded(settings: Settings) -> None:
    """Check that all data is in the data directory.

    Raises:
        ConfigurationError: the database or the objects are elsewhere.
    """
    if settings.database_url is not None or settings.s3_endpoint is not None:
        raise ConfigurationError(
            "expected the embedded mode, got GLAS_DATABASE_URL or GLAS_S3_ENDPOINT: back those up with their own "
            "tools (pg_dump; a copy of the bucket), see docs/operations.md"
        )


def back_up(settings: Settings, target: Path, *, force: bool = False) -> BackupReport:
    """Write a backup under a temporary name, sync it to disk, then rename it.

    Args:
        settings: contain the data directory.
        target: path of the backup.
        force: whether to replace an existing file.

    Raises:
        ConfigurationError: the data is not in the data directory.
        NotFoundError: there is nothing to back up.
        WouldReplaceError: the file exists, and `force` is not set.
    """
    require_embedded(settings)
    if not force:
        _require_free(target)
    databases = databases_in(settings.data_dir)
    if not databases:
        raise NotFoundError(f"expected {DATABASE} in {settings.data_dir.absolute()}, got none: nothing to back up")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The backup contains voices and texts of people: only its owner may read the directory and the file.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        draft = Path(scratch) / "backup.tar"
        with draft.open("xb") as file:
            installation = log_in(settings.data_dir).installation()
            report = _write(file, databases, settings.data_dir / OBJECTS, Path(scratch), installation)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o600)
        if not force:
            _require_free(target)  # another backup may have ended meanwhile
        draft.replace(target)
    to_disk(target.parent)
    copy_beside(settings.data_dir, target.parent)
    return report


def _require_free(target: Path) -> None:
    if target.exists():
        raise WouldReplaceError(f"{target.absolute()} is there already; --force replaces it")


def databases_in(data_dir: Path) -> list[Path]:
    """Return the SQLite files of a data directory, in the order in which they must be copied."""
    work = sorted(data_dir.glob(WORK_PATTERN))
    database = data_dir / DATABASE
    return [*work, database] if database.exists() else work


def _write(file: IO[bytes], databases: list[Path], objects: Path, scratch: Path, installation: str) -> BackupReport:
    with (
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
        _Manifest(scratch, installation) as manifest,
    ):
        for database in databases:
            copy = scratch / database.name
            _copy_database(database, copy)
            manifest.add(tar, copy, database.name)
            copy.unlink()
        n_objects = 0
        for path in _objects(objects):
            n_objects += manifest.add(tar, path, path.relative_to(objects.parent).as_posix())
        manifest.close_into(tar)
    return BackupReport(len(databases), n_objects, file.tell())


def _copy_database(source: Path, copy: Path) -> None:
    """Copy a database consistently with SQLite's own backup, while other processes may write."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)) as origin,
        closing(sqlite3.connect(copy)) as destination,
    ):
        origin.backup(destination)


def _objects(directory: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(directory):
        names.sort()
        for path in (Path(folder) / name for name in sorted(files) if not name.endswith(_DRAFT)):
            # A file that somebody else left there is none of ours.
            if NAME.fullmatch(path.relative_to(directory.parent).as_posix()):
                yield path


class _Manifest:
    """Writes the manifest to a temporary file, because there may be millions of objects."""

    def __init__(self, scratch: Path, installation: str) -> None:
        self._file = (scratch / MANIFEST).open("x+", encoding="utf-8")
        self._n_files = 0
        made = datetime.now(UTC).isoformat(timespec="seconds")
        head = {"format": FORMAT, "glas": glas.__version__, "creation_datetime": made, "installation": installation}
        self._say(head)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def add(self, tar: tarfile.TarFile, path: Path, name: str) -> bool:
        """Add a file to the archive; return False if it was deleted meanwhile, for instance by /forget."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return False
        with source:
            reader = _Hashing(source)
            member = tarfile.TarInfo(name)
            status = os.fstat(source.fileno())
            member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), 0o600
            tar.addfile(member, reader)
        self._n_files += 1
        self._say({"path": name, "size_bytes": member.size, "sha256": reader.sha256.hexdigest()})
        return True

    def close_into(self, tar: tarfile.TarFile) -> None:
        """Add the manifest to the archive, after all other files; its last line shows that it is complete."""
        self._say({"n_files": self._n_files})
        self._file.flush()
        tar.add(self._file.name, MANIFEST, filter=_plain)

    def _say(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove user and group from a member of the archive."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


class _Hashing(io.RawIOBase):
    """Reads a file and computes its sha256 on the way, so that each file is read once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(_PART_BYTES if size < 0 else size)
        self.sha256.update(data)
        return data
