"""Where the command line reads recordings from and writes texts to."""

import os
import sys
import tempfile
from pathlib import Path

from glas.domain.errors import UploadTooLargeError
from glas.settings import MIB

_STDIN = "-"


class Source:
    """A file, or standard input."""

    def __init__(self, name: str, *, limit_mb: int) -> None:
        self._limit_bytes = limit_mb * MIB
        self.is_stdin = name == _STDIN
        self.name = "stdin" if self.is_stdin else name

    @property
    def label(self) -> str:
        """The file's own name, without its directory."""
        return Path(self.name).name

    @property
    def stem(self) -> str:
        """The file's own name, without its ending."""
        return Path(self.name).stem

    def read(self) -> bytes:
        """All bytes.

        Raises:
            UploadTooLargeError: there are more than the limit; no more than that is read.
            OSError: the file cannot be read.
        """
        if self.is_stdin:
            data = sys.stdin.buffer.read(self._limit_bytes + 1)
        else:
            with Path(self.name).open("rb") as file:
                data = file.read(self._limit_bytes + 1)
        if len(data) > self._limit_bytes:
            raise UploadTooLargeError(
                f"expected at most {self._limit_bytes // MIB} MiB, got more; "
                "raise GLAS_AUDIO__MAX_UPLOAD_MB to allow it"
            )
        return data


def write_atomically(path: Path, text: str) -> None:
    """Write a text file through a temporary name, so that a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
