"""Move restored files into the data directory: all files or none, even if the process is killed or the power fails.

First, the directory with the restored files is renamed to `.restored`. After this rename, `.restored` contains the
valid data, and every process that locks the data directory calls `complete`, which does the remaining renames. The old
files are moved to `.replaced`. Then `.restored` is renamed to `.restored-moving`. The new name shows that all old files
have been moved. Last, the new files are moved to their places.
"""

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from glas.db.deletions import FILE
from glas.system.files import to_disk

DATABASE: Final = "glas.db"
WORK_PATTERN: Final = "durable-*.sqlite"
OBJECTS: Final = "s3"
SCRATCH: Final = ".restore-"
"""The beginning of the name of a directory in which a backup is unpacked."""

_RESTORED, _MOVING, _REPLACED = ".restored", ".restored-moving", ".replaced"
# Endings of the files that SQLite writes beside a database. If they stayed beside another database, they would damage
# this database.
_BESIDE = ("", "-wal", "-shm", "-journal")


def data_in(data_dir: Path) -> list[Path]:
    """Return those existing files and directories of a data directory that a restore replaces."""
    databases = [data_dir / DATABASE, *data_dir.glob(WORK_PATTERN)]
    found = [path.with_name(path.name + end) for path in databases for end in _BESIDE]
    return sorted(path for path in (*found, data_dir / OBJECTS) if path.exists())


def exchange(data_dir: Path, new: Path) -> None:
    """Replace the data in a data directory by the new data; if an error occurs, move the old data back.

    Args:
        data_dir: the data directory, of which this process must have the exclusive lock.
        new: a directory inside `data_dir` that contains only the new data.
    """
    # One sync for all files: a separate fsync for each of a hundred thousand files takes minutes.
    os.sync()
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in itertools.chain([(new, data_dir / _RESTORED)], _steps(data_dir)):
            _rename(source, target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            _rename(target, source)
        raise
    complete(data_dir)


def is_interrupted(data_dir: Path) -> bool:
    """Return whether a restore was interrupted before all new files were in their places."""
    return (data_dir / _RESTORED).exists() or (data_dir / _MOVING).exists()


def complete(data_dir: Path) -> None:
    """Complete a restore that was interrupted, and delete the files that restores have left.

    The caller must have locked the data directory. If no restore was interrupted, nothing is renamed.
    """
    if (data_dir / _RESTORED).exists():
        shutil.rmtree(data_dir / _REPLACED, ignore_errors=True)
    for source, target in _steps(data_dir):
        _rename(source, target)
    with contextlib.suppress(FileNotFoundError):
        (data_dir / _MOVING).rmdir()
    for path in (data_dir / _REPLACED, *data_dir.glob(f"{SCRATCH}*")):
        shutil.rmtree(path, ignore_errors=True)


def _steps(data_dir: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the renames that are still to be done, as pairs of old and new path.

    The caller must do each rename before it requests the next pair.
    """
    restored, moving, replaced = (data_dir / name for name in (_RESTORED, _MOVING, _REPLACED))
    if restored.exists():
        replaced.mkdir(exist_ok=True)
        old = [*data_in(data_dir), *(path for path in [data_dir / FILE] if path.exists())]
        yield from ((path, replaced / path.name) for path in old)
        yield restored, moving
    if moving.exists():
        yield from ((path, data_dir / path.name) for path in sorted(moving.iterdir()))


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    to_disk(*{source.parent, target.parent})
