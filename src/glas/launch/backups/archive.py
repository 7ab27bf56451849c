"""Write and read the file of a backup: a tar with the data and, at its end, a manifest with the sha256 of each file.

The archive is written and read from its beginning to its end, so that it can pass through a pipe. The last line of the
manifest shows that the archive is complete.
"""

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import glas
from glas.domain.errors import BackupError
from glas.launch.exchange import OBJECTS
from glas.system.files import sha256_of

MANIFEST: Final = "manifest.jsonl"
FORMAT: Final = 1
POSTGRESQL: Final = "postgresql"

# The permitted names of files in a backup. A restore refuses all other names.
NAME: Final = re.compile(r"manifest\.jsonl|glas\.db|durable-[\w-]+\.sqlite|postgresql/\d{6}\.dump|s3(/[\w-][\w.-]*)+")

_INSTALLATION = re.compile(r"[0-9a-f]{16}")
_PART_BYTES = 1024 * 1024


@dataclass(frozen=True)
class BackupReport:
    """The number of databases and objects in a backup, the size of the backup, and the result of a restore."""

    n_databases: int
    n_objects: int
    size_bytes: int = 0
    n_forgotten: int = 0
    """Number of people whose data a restore deleted again, because they had asked for deletion after the backup."""


@contextmanager
def written(file: IO[bytes], scratch: Path, installation: str) -> Iterator["ArchiveWriter"]:
    """Open a context in which an archive is written; the archive is complete only if the context ends without an error.

    Args:
        file: the file into which the archive is written. The file is written from its beginning to its end, without
            seeking, so it can be a pipe.
        scratch: directory for a temporary file with the manifest. The manifest is not kept in memory, because there may
            be millions of objects.
        installation: name of the installation. With this name, a restore finds the log of deletions for the backup.
    """
    with (
        (scratch / MANIFEST).open("x", encoding="utf-8") as manifest,
        tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_PART_BYTES) as tar,
    ):
        archive = ArchiveWriter(tar, manifest, installation)
        yield archive
        archive.finish()


class ArchiveWriter:
    """Adds files to an archive, and their sha256 to the manifest of the archive; `written` makes this object."""

    def __init__(self, tar: tarfile.TarFile, manifest: IO[str], installation: str) -> None:
        self._tar = tar
        self._manifest = manifest
        self._n_files = 0
        made = datetime.now(UTC).isoformat(timespec="seconds")
        self._say({"format": FORMAT, "glas": glas.__version__, "creation_datetime": made, "installation": installation})

    def add_file(self, path: Path, name: str) -> bool:
        """Add a file to the archive; return False if the file was deleted during the backup, for example by /forget."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return False
        with source:
            self._add(name, source, os.fstat(source.fileno()).st_size)
        return True

    def add(self, name: str, content: bytes) -> None:
        """Add a file with the given name and content to the archive."""
        self._add(name, io.BytesIO(content), len(content))

    def finish(self) -> None:
        """Add the manifest, after all other files; the last line of the manifest shows that the archive is complete."""
        self._say({"n_files": self._n_files})
        self._manifest.flush()
        with Path(self._manifest.name).open("rb") as whole:
            self._store(MANIFEST, whole, os.fstat(whole.fileno()).st_size)

    def _add(self, name: str, source: IO[bytes], size_bytes: int) -> None:
        sha256 = self._store(name, source, size_bytes)
        self._n_files += 1
        self._say({"path": name, "size_bytes": size_bytes, "sha256": sha256})

    def _store(self, name: str, source: IO[bytes], size_bytes: int) -> str:
        reader = _Hashing(source)
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size_bytes, int(time.time()), 0o600
        self._tar.addfile(member, reader)
        return reader.sha256.hexdigest()

    def _say(self, line: dict[str, object]) -> None:
        self._manifest.write(json.dumps(line, ensure_ascii=False) + "\n")


class _Hashing(io.RawIOBase):
    """Reads a file and computes its sha256 at the same time, so that each file is read once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(_PART_BYTES if size < 0 else size)
        self.sha256.update(data)
        return data


def unpack(file: IO[bytes], directory: Path) -> None:
    """Write the files of an archive into an empty directory, and sync them to disk.

    Raises:
        BackupError: the archive is damaged, or contains something else than files of a backup.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for member in tar:
                _unpack_one(tar, member, directory)
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"expected a whole backup, got a broken archive: {error}") from error
    # One sync for all files and directories: a separate fsync for each of a hundred thousand files takes minutes.
    os.sync()


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, directory: Path) -> None:
    """Write one member of the archive as a file; raise an error for links, devices and paths outside the directory.

    `TarFile.extract` is not used, because the archive is not trusted.
    """
    content = tar.extractfile(member) if member.isreg() and NAME.fullmatch(member.name) else None
    if content is None:
        raise BackupError(f"expected files of a backup, got {member.name!r}")
    path = directory / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as target:
            shutil.copyfileobj(content, target, _PART_BYTES)
    except (FileExistsError, NotADirectoryError) as error:
        raise BackupError(f"expected each file once, got {member.name!r} again") from error


def verify(directory: Path) -> tuple[BackupReport, str | None]:
    """Compare the unpacked files of a backup with the manifest; for this, each file is read from the disk.

    Returns:
        The report about the contents, and the name of the installation. The name is None if the backup was made by an
        older version of Glas, which did not write the name.

    Raises:
        BackupError: a file is missing or differs from the manifest.
    """
    n_files = n_objects = size_bytes = 0
    databases = set[str]()
    lines = _lines(directory / MANIFEST)
    head = next(lines, {})
    if head.get("format") != FORMAT:
        raise BackupError(f"expected a backup of format {FORMAT}, got {head.get('format')!r}")
    for line in lines:
        if "n_files" in line:
            break
        _verify_one(directory, line)
        n_files += 1
        # The parts of a dump are in one directory.
        folder = line["path"].partition("/")[0]
        if folder == OBJECTS:
            n_objects += 1
        else:
            databases.add(folder)
        size_bytes += (directory / line["path"]).stat().st_size
    else:
        raise BackupError("expected the manifest's last line, got none: the backup was not finished")
    unpacked = sum(len(files) for _, _, files in os.walk(directory)) - 1
    if not line["n_files"] == n_files == unpacked:
        raise BackupError(f"expected {line['n_files']} files, got {unpacked} in the archive and {n_files} listed")
    return BackupReport(len(databases), n_objects, size_bytes), _installation(head)


def _installation(head: dict[str, Any]) -> str | None:
    found = head.get("installation")
    if found is not None and not _INSTALLATION.fullmatch(str(found)):
        raise BackupError(f"expected the name of an installation, got {str(found)[:40]!r}")
    return found


def _lines(manifest: Path) -> Iterator[dict[str, Any]]:
    if not manifest.exists():
        raise BackupError(f"expected {MANIFEST} in the archive, got none: this is no backup, or an unfinished one")
    with manifest.open(encoding="utf-8") as file:
        try:
            yield from (dict(json.loads(line)) for line in file)
        except (ValueError, TypeError) as error:
            raise BackupError(f"expected JSON in {MANIFEST}, got something else: {error}") from error


def _verify_one(directory: Path, line: dict[str, Any]) -> None:
    name = str(line.get("path"))
    path = directory / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise BackupError(f"expected {name!r} in the archive, got none")
    found = sha256_of(path)
    if found != line.get("sha256"):
        raise BackupError(f"{name}: expected sha256 {str(line.get('sha256'))[:12]}…, got {found[:12]}…")
