"""Compare the files of a model with the list `SHA256SUMS` in the model's directory."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from glas.system.files import sha256_of

FILE: Final = "SHA256SUMS"

# A line of the list, as `sha256sum` writes it: the star marks a file that was read as binary.
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def listed(models_dir: Path, embedded: Path) -> Iterator[Path]:
    """Yield the directories of models that have a list of checksums; the embedded model's directory comes first."""
    directories = (path.parent for path in sorted(models_dir.rglob(FILE)))
    yield from (path for path in (embedded, *directories) if (path / FILE).is_file())


def damaged(directory: Path) -> list[str]:
    """Return the listed files of a model that are missing or have another checksum than listed, as relative paths."""
    lines = (directory / FILE).read_text(encoding="utf-8").splitlines()
    found = list[str]()
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            found.append(FILE)
        elif not (directory / match[2]).is_file() or sha256_of(directory / match[2]) != match[1]:
            found.append(match[2])
    return found
