"""Who works in a data directory: a lock that ends with the process that holds it, and the holder's address in it.

A server that holds all the embedded stores has the directory for itself. Parts that run apart may share it, since each
keeps another file there; yet none of them runs beside such a server, nor while a backup is put back.
"""

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from glas.domain.errors import DataDirectoryInUseError
from glas.settings import Settings, plain
from glas.system.files import locked

NAME = "glas.lock"


@dataclass(frozen=True)
class Holder:
    """Who holds a data directory.

    Attributes:
        pid: its process.
        url: where its page or its only service answers; None for one that listens nowhere.
    """

    pid: int
    url: str | None = None


@contextlib.contextmanager
def held(settings: Settings, parts: Collection[str], url: str | None) -> Iterator[None]:
    """Hold the data directory while parts run that keep something in it; for others do nothing.

    Raises:
        DataDirectoryInUseError: another process works there.
    """
    stores = embedded_stores(settings, parts)
    if not stores:
        yield
        return
    with taken(settings.data_dir, Holder(os.getpid(), url), alone=is_alone(settings, parts)):
        yield


def is_alone(settings: Settings, parts: Collection[str]) -> bool:
    """Whether these parts need the data directory for themselves: all that it holds is theirs."""
    return {"database", "objects"} <= embedded_stores(settings, parts)


def embedded_stores(settings: Settings, parts: Collection[str]) -> frozenset[str]:
    """What these parts keep in the data directory: `database`, `objects`, `work`."""
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
    """Hold a directory, which is made when missing.

    Args:
        data_dir: the directory.
        holder: written into the lock, for those who come later.
        alone: nobody else may hold it; otherwise others may who do not want it alone either.

    Raises:
        DataDirectoryInUseError: somebody holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / NAME
    with contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(locked(path, is_shared=not alone))
        except BlockingIOError:
            raise DataDirectoryInUseError(_refusal(data_dir, _read(path))) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(asdict(holder)).encode(), 0)
        yield


def holder_of(data_dir: Path) -> Holder | None:
    """The server that has a directory for itself now; None for none."""
    path = data_dir / NAME
    if not path.exists():
        return None
    try:
        with locked(path, is_shared=True):
            return None
    except BlockingIOError:
        return _read(path) or Holder(0)


def _read(path: Path) -> Holder | None:
    """What the holder wrote; None while it is writing, or for a file that is not ours."""
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        return None


def _refusal(data_dir: Path, holder: Holder | None) -> str:
    who = "another process"
    if holder is not None:
        who = f"process {holder.pid}" + (f" ({holder.url})" if holder.url else "")
    return f"{data_dir.absolute()} is in use by {who}; stop it, or choose another directory: GLAS_DATA_DIR=…"
