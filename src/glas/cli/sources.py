"""Where the command line reads recordings from and writes texts to."""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
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


def file_names(sources: Sequence[Source]) -> list[str]:
    """A name for what is made of each source, without an ending; no two are the same, so that nothing is lost.

    Names are as short as they can be: of `a/voice.ogg` it is `voice`, beside `voice.opus` it is `voice.ogg`, and beside
    `b/voice.ogg` it is `a_voice.ogg`. A file that is named twice gets a number.
    """
    shapes = [[source.stem, source.label, _whole_path(source)] for source in sources]
    levels = [0] * len(sources)
    while True:
        names = [shape[level] for shape, level in zip(shapes, levels, strict=True)]
        # Some file systems do not tell large letters from small ones.
        counts = Counter(name.casefold() for name in names)
        twins = [index for index, name in enumerate(names) if counts[name.casefold()] > 1]
        longer = [index for index in twins if levels[index] < len(shapes[index]) - 1]
        if not longer:
            return _numbered(names)
        for index in longer:
            levels[index] += 1


def _whole_path(source: Source) -> str:
    return "_".join(part for part in Path(source.name).parts if part not in {"/", "."})


def _numbered(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    used: set[str] = {name.casefold() for name in names}
    seen: set[str] = set()
    for name in names:
        unique, number = name, 2
        while unique.casefold() in seen or (unique is not name and unique.casefold() in used):
            unique, number = f"{name} ({number})", number + 1
        seen.add(unique.casefold())
        found.append(unique)
    return found


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
