"""Sources: places from which the files of a model can be downloaded.

Downloaded files are collected in a temporary directory. A download may be interrupted at any moment. The next download
of the model continues with the files in this directory, even if the missing bytes come from another source.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from glas.domain.errors import ModelError

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""A function that is called with the name of a file, the number of bytes that have arrived, and the size of the file.

The first call for each file is made with 0 bytes, before the download of the file begins.
"""


class Source(Protocol):
    """A place from which a model can be downloaded."""

    @property
    def place(self) -> str:
        """Name of the source, for messages to people."""

    def gather(self, directory: Path, on_progress: OnProgress) -> list[str]:
        """Download all files into a directory; a file gets its final name when it is complete and its hash is right.

        Returns:
            The names of the files.

        Raises:
            HubUnreachableError: the source cannot be reached, or does not have the model.
            ModelFileMissingError: the source has the model, but a file is missing.
            ModelLoadError: a file has a wrong hash; this file is deleted.
            ModelError: the disk is full.
        """


def unfinished(target: Path, digest: str) -> Path:
    """Return the path of an incomplete file.

    The name contains the hash of the complete file. So a download of another version is not appended to this file.
    """
    return target.with_name(f"{target.name}.{digest[:12]}.part")


def require_room(directory: Path, wanted: int) -> None:
    """Raise an error if a disk does not have enough free space.

    Args:
        directory: any directory on this disk.
        wanted: bytes that will be written.

    Raises:
        ModelError: there is not enough space.
    """
    free = shutil.disk_usage(directory).free
    if wanted > free:
        raise ModelError(f"{directory}: expected {wanted / 1e6:.0f} MB of free disk, got {free / 1e6:.0f} MB.")
