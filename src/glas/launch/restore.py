"""Restore a backup: unpack it next to the data, compare it with its manifest, then replace the data by it."""

import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from glas.domain.errors import BackupError, WouldReplaceError
from glas.launch.backup import (
    DATABASE,
    FORMAT,
    MANIFEST,
    NAME,
    OBJECTS,
    WORK_PATTERN,
    BackupReport,
    require_embedded,
)
from glas.launch.deletions import delete_again, known_deletions, log_in
from glas.launch.lock import Holder, taken
from glas.settings import Settings
from glas.system.files import sha256_of, to_disk

_INSTALLATION = re.compile(r"[0-9a-f]{16}")
_PART_BYTES = 1024 * 1024
# SQLite's own files beside a database: with another database they would spoil it.
_BESIDE = ("", "-wal", "-shm", "-journal")


def restore(settings: Settings, archive: Path, *, force: bool = False) -> BackupReport:
    """Restore a backup into the data directory, without the data of people who asked for its deletion afterwards.

    Args:
        settings: contain the data directory.
        archive: a file that `back_up` wrote.
        force: whether to replace existing data.

    Raises:
        BackupError: the archive is damaged; nothing was changed.
        WouldReplaceError: the directory contains data, and `force` is not set.
        DataDirectoryInUseError: a server runs in the data directory.
        ConfigurationError: the data is not in the data directory.
        OSError: the archive cannot be read, or the disk is full; nothing was changed.
    """
    require_embedded(settings)
    data_dir = settings.data_dir
    with archive.open("rb") as file, taken(data_dir, Holder(os.getpid()), alone=True):
        old = _present(data_dir)
        if old and not force:
            raise WouldReplaceError(
                f"{data_dir.absolute()} holds data already ({', '.join(path.name for path in old[:4])}); "
                "--force replaces it"
            )
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as scratch:
            new, aside = Path(scratch) / "new", Path(scratch) / "old"
            new.mkdir()
            aside.mkdir()
            _unpack(file, new)
            report, installation = _verify(new)
            deletions = known_deletions(data_dir, archive.parent, installation)
            n_forgotten = delete_again(new, DATABASE, OBJECTS, deletions)
            _exchange(data_dir, old, new, aside)
        log = log_in(data_dir)
        log.write(installation or log.installation(), deletions)
    return replace(report, n_forgotten=n_forgotten)


def _present(data_dir: Path) -> list[Path]:
    """Return the paths that a restored backup replaces."""
    databases = [data_dir / DATABASE, *data_dir.glob(WORK_PATTERN)]
    found = [path.with_name(path.name + end) for path in databases for end in _BESIDE]
    return sorted(path for path in (*found, data_dir / OBJECTS) if path.exists())


def _unpack(file: IO[bytes], directory: Path) -> None:
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for member in tar:
                _unpack_one(tar, member, directory)
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"expected a whole backup, got a broken archive: {error}") from error


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, directory: Path) -> None:
    """Write one file of the archive; refuse links, devices and paths outside the directory.

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
            target.flush()
            os.fsync(target.fileno())
    except (FileExistsError, NotADirectoryError) as error:
        raise BackupError(f"expected each file once, got {member.name!r} again") from error


def _verify(directory: Path) -> tuple[BackupReport, str | None]:
    """Compare the unpacked files with the manifest; each file is read from the disk again.

    Returns:
        The contents, and the name of the installation; None for a backup of an earlier version.
    """
    n_files = n_objects = size_bytes = 0
    lines = _lines(directory / MANIFEST)
    head = next(lines, {})
    if head.get("format") != FORMAT:
        raise BackupError(f"expected a backup of format {FORMAT}, got {head.get('format')!r}")
    for line in lines:
        if "n_files" in line:
            break
        _verify_one(directory, line)
        n_files += 1
        n_objects += line["path"].startswith(f"{OBJECTS}/")
        size_bytes += (directory / line["path"]).stat().st_size
    else:
        raise BackupError("expected the manifest's last line, got none: the backup was not finished")
    unpacked = sum(len(files) for _, _, files in os.walk(directory)) - 1
    if not line["n_files"] == n_files == unpacked:
        raise BackupError(f"expected {line['n_files']} files, got {unpacked} in the archive and {n_files} listed")
    return BackupReport(n_files - n_objects, n_objects, size_bytes), _installation(head)


def _installation(head: dict[str, Any]) -> str | None:
    found = head.get("installation")
    if found is not None and not _INSTALLATION.fullmatch(str(found)):
        raise BackupError(f"expected the name of an installation, got {str(found)[:40]!r}")
    return found


def _lines(manifest: Path) -> Iterator[dict[str, Any]]:
    if not manifest.exists():
        raise BackupError(f"expected {MANIFEST} in the archive, got none: no backup, or one that was not finished")
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


def _exchange(data_dir: Path, old: list[Path], new: Path, aside: Path) -> None:
    """Move the old data aside and the new data into its place; if that fails, move the old data back."""
    (new / MANIFEST).unlink()
    moves = [(path, aside / path.name) for path in old] + [(path, data_dir / path.name) for path in new.iterdir()]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            target.rename(source)
        raise
    to_disk(data_dir)
