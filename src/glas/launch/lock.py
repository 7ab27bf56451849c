"""Lock a data directory; the lock file contains the id and the URL of the process that has the lock.

The operating system releases the lock when the process ends. A server that stores both the database and the objects in
the directory has an exclusive lock. Parts that run as separate processes share the lock, because each part uses
different files of the directory. Parts with a shared lock cannot run while another process has the exclusive lock,
such as a server in the embedded mode or the restore of a backup.
"""

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from glas.domain.errors import DataDirectoryInUseError
from glas.launch.exchange import complete, is_interrupted
from glas.settings import Settings, plain
from glas.system.files import locked, make_directory

NAME = "glas.lock"


@dataclass(frozen=True)
class Holder:
    """The process that has the lock of a data directory.

    Attributes:
        pid: id of the process.
        url: address of the web pages that the process serves. If it serves none, this is the address of its first
            port; None if the process listens on no port.
    """

    pid: int
    url: str | None = None


@contextlib.contextmanager
def held(settings: Settings, parts: Collection[str], url: str | None) -> Iterator[None]:
    """Open a context in which the data directory is locked, if any of the parts stores data in this directory.

    Args:
        settings: the settings, which name the data directory.
        parts: names of the parts that run in this process.
        url: address of this process for the lock file; see `Holder`.

    Raises:
        DataDirectoryInUseError: another process has locked the directory.
    """
    stores = embedded_stores(settings, parts)
    if not stores:
        yield
        return
    with taken(settings.data_dir, Holder(os.getpid(), url), alone=is_alone(settings, parts)):
        yield


def is_alone(settings: Settings, parts: Collection[str]) -> bool:
    """Return whether the parts need the exclusive lock of the data directory.

    They need it if they store both the database and the objects in the data directory.
    """
    return {"database", "objects"} <= embedded_stores(settings, parts)


def embedded_stores(settings: Settings, parts: Collection[str]) -> frozenset[str]:
    """Return which of `database`, `objects` and `work` (durable work) the parts store in the data directory."""
    url = plain(settings.database_url)
    found = set()
    if "db_assist" in parts and url is None:
        found.add("database")
    if "data_loader" in parts and settings.s3_endpoint is None:
        found.add("objects")
    if not {"data_loader", "tg_bot"}.isdisjoint(parts) and (url is None or url.startswith("sqlite")):
        found.add("work")
    return frozenset(found)


@contextlib.contextmanager
def taken(data_dir: Path, holder: Holder, *, alone: bool) -> Iterator[None]:
    """Open a context in which a data directory is locked.

    If the directory is missing, it is created. If a restore was interrupted, the restore is completed first.

    Args:
        data_dir: path of the data directory.
        holder: id and URL of this process, which are written into the lock file. Other processes show them in error
            messages.
        alone: whether the lock is exclusive; if not, other processes may share the lock.

    Raises:
        DataDirectoryInUseError: another process has a lock that excludes this lock.
    """
    make_directory(data_dir)
    path = data_dir / NAME
    with contextlib.ExitStack() as stack:
        try:
            if not alone and is_interrupted(data_dir):
                with locked(path):
                    complete(data_dir)
            lock = stack.enter_context(locked(path, is_shared=not alone))
        except BlockingIOError:
            raise DataDirectoryInUseError(_refusal(data_dir, _read(path))) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(asdict(holder)).encode(), 0)
        if alone:
            complete(data_dir)
        yield


def holder_of(data_dir: Path) -> Holder | None:
    """Return the process that has the exclusive lock of a directory; None if no process has this lock."""
    path = data_dir / NAME
    if not path.exists():
        return None
    try:
        with locked(path, is_shared=True):
            return None
    except BlockingIOError:
        return _read(path) or Holder(0)


def _read(path: Path) -> Holder | None:
    """Read the lock file; return None if the file is incomplete or has another format."""
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        return None


def _refusal(data_dir: Path, holder: Holder | None) -> str:
    who = "another process"
    if holder is not None:
        who = f"process {holder.pid}" + (f" ({holder.url})" if holder.url else "")
    return f"{data_dir.absolute()} is in use by {who}; stop it, or choose another directory: GLAS_DATA_DIR=…"
