"""Write a directory so that other programs see either all of its files or none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glas.system.files import make_directory, to_disk, tree_to_disk

PART = ".part"


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield an empty new directory to write into; at the end of the context, the new directory replaces `target`.

    The new directory is beside the target. If the context ends without an error, the new directory is synced to disk
    and gets the name of the target. After an error or a crash, the target is unchanged. If a process crashed during a
    call, the next call removes the new directory that the crashed process has left.
    """
    part = target.with_name(f"{target.name}{PART}")
    shutil.rmtree(part, ignore_errors=True)
    make_directory(part)
    try:
        yield part
        tree_to_disk(part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    to_disk(target.parent)
