"""Read recordings from files or standard input, and choose the names of files for their texts."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from glas.domain.errors import UploadTooLargeError
from glas.settings import MIB

_STDIN = "-"


class Source:
    """A file with a recording, or standard input."""

    def __init__(self, name: str, *, limit_mb: int) -> None:
        self._limit_bytes = limit_mb * MIB
        self.is_stdin = name == _STDIN
        self.name = "stdin" if self.is_stdin else name

    @property
    def label(self) -> str:
        """The name of the file without its directory."""
        return Path(self.name).name

    @property
    def stem(self) -> str:
        """The name of the file without directory and extension."""
        return Path(self.name).stem

    def read(self) -> bytes:
        """Read the whole file.

        Raises:
            UploadTooLargeError: the file is larger than the limit; only bytes up to the limit are read.
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
    """Return for each source the name of its output file, without extension; all names are different.

    The names are different so that no output replaces another output. The names are as short as possible. The name of
    `a/voice.ogg` is `voice`, unless another source would have the same name, such as `voice.opus`. Then the name is
    `voice.ogg`. If another source, such as `b/voice.ogg`, would also have the name `voice.ogg`, the name is
    `a_voice.ogg`. If the same file is given twice, the second name gets a number.
    """
    shapes = [[source.stem, source.label, _whole_path(source)] for source in sources]
    levels = [0] * len(sources)
    while True:
        names = [shape[level] for shape, level in zip(shapes, levels, strict=True)]
        # Some file systems ignore the case of letters.
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
