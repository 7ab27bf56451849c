"""Folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glas.system.files import to_disk

PART = ".part"


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which then takes the place of `target`.

    It lies beside the target until the block ends without an error; then its files are forced to the disk and it is
    renamed. An error, or a crash, leaves the target as it was. What a crash leaves is removed by the next call.
    """
    part = target.with_name(f"{target.name}{PART}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        for path in part.iterdir():
            to_disk(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    to_disk(target.parent)
