"""Write directories atomically."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glas.system.files import make_directory, to_disk, tree_to_disk

PART = ".part"


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give an empty directory to write into, which replaces `target` at the end of the context.

    The new directory is beside the target. At the end of the context, if there was no error, the new directory is
    synced to disk and renamed. After an error or a crash the target is unchanged. The next call removes the new
    directory of a call that crashed.
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
