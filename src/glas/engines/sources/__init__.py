"""Sources: places from which the files of a model can be fetched.

A source gathers files in a directory that no engine looks at. It may be ended at any moment: the next call, of this
source or of another one of the same model, goes on with what is there.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from glas.domain.errors import ModelError

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Told the file, how many bytes of it are there, and how many there will be; once with 0 bytes for each file first."""


class Source(Protocol):
    """A place from which a model can be fetched."""

    @property
    def place(self) -> str:
        """What the place is called in messages."""

    def gather(self, directory: Path, on_progress: OnProgress) -> list[str]:
        """Fetch all files into a directory, each under its name once it is whole and its hash is right.

        Returns:
            Names of the files.

        Raises:
            HubUnreachableError: the place does not answer, or lacks the model.
            ModelFileMissingError: it has the model and lacks a file.
            ModelLoadError: a file is not what its hash says; it is deleted.
            ModelError: the disk has no room.
        """


def unfinished(target: Path, digest: str) -> Path:
    """Where the content of a file grows until it is whole; named by its hash, so that no other content is continued."""
    return target.with_name(f"{target.name}.{digest[:12]}.part")


def require_room(directory: Path, wanted: int) -> None:
    """See that the disk has room.

    Args:
        directory: on the disk.
        wanted: bytes that are still to come.

    Raises:
        ModelError: it has not.
    """
    free = shutil.disk_usage(directory).free
    if wanted > free:
        raise ModelError(f"{directory}: expected {wanted / 1e6:.0f} MB of free disk, got {free / 1e6:.0f} MB.")
