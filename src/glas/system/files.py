"""Replace files, sync them to disk, lock them, hash them."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def to_disk(*paths: Path) -> None:
    """Wait until the contents of files, and the entries of directories, are on the disk (fsync)."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8. Readers see either the old or the new content, also after a crash.

    Raises:
        OSError: the file cannot be written; the old file is unchanged.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        to_disk(draft)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    to_disk(path.parent)


def sha256_of(path: Path, *, begin: int = 0, size: int | None = None) -> str:
    """Return the sha256 of a file, or of `size` bytes of it from `begin` on, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(begin)
        left = os.fstat(file.fileno()).st_size - begin if size is None else size
        while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


@contextmanager
def locked(path: Path, *, is_shared: bool = False, waits: bool = False) -> Iterator[int]:
    """Hold the lock of a file (flock) while the context is open; create the file if it is missing.

    The system releases the lock when the process ends, also after a crash. The file is not deleted, because a process
    could otherwise delete the file that the next process has locked.

    Args:
        path: the file, in an existing directory.
        is_shared: whether other processes may hold a shared lock at the same time.
        waits: whether to wait until others release the lock.

    Yields:
        The descriptor of the file, which is open for reading and writing.

    Raises:
        BlockingIOError: another process holds the lock, and `waits` is not set.
    """
    # The content of such a file (an address, a process id) is not secret, but other users do not need it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if waits else kind | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
