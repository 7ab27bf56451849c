"""Make, replace and delete files so that the changes are not lost if the power fails; lock and hash files, too.

After a program has written a file, the operating system may keep the content and the name of the file in memory for
some time. The content is certainly on the disk only after fsync was called for the file, and the name only after fsync
was called for the directory. Therefore the functions of this module call fsync.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def to_disk(*paths: Path) -> None:
    """Call fsync for files and directories: wait until their contents and the names in them are on the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def tree_to_disk(path: Path) -> None:
    """Wait until a file, or a directory with all its contents, is on the disk.

    The name of `path` itself is stored in its parent directory, for which this function does not call fsync.
    """
    to_disk(*(one for one in (path, *path.rglob("*")) if not one.is_symlink()))


def make_directory(path: Path) -> None:
    """Create a directory and its parents, if they are missing; when this returns, their names are on the disk."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    to_disk(*(one.parent for one in missing))


def put_in_place(draft: Path, target: Path) -> None:
    """Rename a complete file or directory to `target`; an existing file with this name is replaced.

    The content is on the disk before the rename. The new name is on the disk when this function returns.
    """
    tree_to_disk(draft)
    draft.replace(target)
    to_disk(*{draft.parent, target.parent})


def delete(path: Path) -> bool:
    """Delete a file, or a directory with all its contents, so that it is still deleted after a loss of power.

    Returns:
        Whether the file or directory existed.
    """
    is_there = path.is_symlink() or path.exists()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    # Necessary even if the file did not exist: another process may have deleted it, and been killed before the sync.
    if path.parent.exists():
        to_disk(path.parent)
    return is_there


def append_line(path: Path, line: str) -> None:
    """Append a line in UTF-8 to a file, which is created if it is missing; when this returns, the line is on the disk.

    If a crash has left an incomplete line at the end, the new line begins after a line break, and readers skip the
    incomplete line.
    """
    is_new = not path.exists()
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else f"\n{line}"
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        to_disk(path.parent)


def replace_text(path: Path, text: str) -> None:
    """Replace the content of a text file (UTF-8). Readers see either the old or the new content, also after a crash.

    Raises:
        OSError: the file cannot be written; the old file is unchanged.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        put_in_place(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


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
    """Lock a file (with flock) while the context is open; create the file if it is missing.

    The operating system releases the lock when the process ends, also after a crash. The file is never deleted, because
    another process might have locked the file shortly before the deletion.

    Args:
        path: the file, in an existing directory.
        is_shared: whether the lock is a shared lock, so that other processes may have a shared lock on the file at the
            same time.
        waits: whether to wait while another process has locked the file.

    Yields:
        The descriptor of the file, which is open for reading and writing.

    Raises:
        BlockingIOError: another process has locked the file, and `waits` is not set.
    """
    # The content of such a file (an address, a process id) is not secret, but other users do not need it.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if waits else kind | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
