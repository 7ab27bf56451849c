"""Write folders atomically."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glas.system.files import to_disk

PART = ".part"


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield an empty folder. At the end of the context, it replaces `target`.

    Until then the folder is beside the target. If there was no error, its files are synced to disk and it is renamed.
    After an error or a crash the target is unchanged. If a call crashed, the next call removes its folder.
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
