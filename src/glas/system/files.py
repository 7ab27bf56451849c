"""Files that outlast a power cut, locks that end with their process, hashes of what is on the disk."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def to_disk(*paths: Path) -> None:
    """Wait until the bytes of files, and the names in folders, are on the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sha256_of(path: Path, *, begin: int = 0, size: int | None = None) -> str:
    """Hash a file, or `size` bytes of it from `begin` on; hexadecimal."""
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
    """Hold the lock of a file, which is made when missing; its folder must be there.

    The lock belongs to the open file: when a process dies, however it dies, the system ends it. The file stays, since
    whoever removed it could remove the next holder's.

    Args:
        path: of the file.
        is_shared: others may hold it too who ask for it shared.
        waits: wait for those who hold it.

    Yields:
        The descriptor, open for reading and writing.

    Raises:
        BlockingIOError: somebody holds it, and `waits` was not said.
    """
    # What stands in such a file (an address, a process number) is no secret, but nobody else needs it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if waits else kind | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
