"""Read CTranslate2's `model.bin`: arrays with names; an array may have several names.

The format, all numbers little-endian (ctranslate2.specs.model_spec, `ModelSpec._serialize`):

    uint32 version of the format; name of the specification; uint32 its revision; uint32 number of variables
    each variable: name; uint8 rank; uint32 per dimension; uint8 type; uint32 number of bytes; the bytes
    uint32 number of aliases; each alias: name; name of the variable

A name consists of a uint16 length, which includes a closing zero byte, and the bytes. A matrix `x` of whole numbers has
a second array `x_scale`, one number for each row. The original matrix is `x / x_scale`.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.engines.safetensors import Array, float32_of_bfloat16

_VERSION = 6
_SPECIFICATION = "WhisperSpec"
_REVISION = 3
_DTYPES = ("<f4", "i1", "<i2", "<i4", "<f2", "<u2")
_BFLOAT16 = 5


@dataclass(frozen=True, slots=True)
class Binary:
    """The content of a `model.bin`.

    Attributes:
        variables: arrays as they are stored, by name, mapped from the file; arrays in bfloat16 become float32.
        aliases: other names of variables, each with the name of its variable.
    """

    variables: dict[str, Array]
    aliases: dict[str, str]


def read_binary(path: Path) -> Binary:
    """Read all variables of a Whisper in CTranslate2's format.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelLoadError: the file is damaged, is in another format or version, or contains a model of another kind.
    """
    try:
        file = np.memmap(path, np.uint8, mode="c")
    except FileNotFoundError as error:
        raise ModelFileMissingError(f"There is no file {path}.") from error
    except ValueError as error:  # an empty file cannot be mapped
        raise ModelLoadError(f"{path}: expected a model of CTranslate2, got an empty file.") from error
    reader = _Reader(path, file)
    _check_head(path, reader)
    variables = {}
    for _ in range(reader.number("I")):
        name = reader.name()
        variables[name] = reader.array(name)
    aliases = {reader.name(): reader.name() for _ in range(reader.number("I"))}
    if unknown := set(aliases.values()) - set(variables):
        raise ModelLoadError(f"{path}: its aliases name variables that it lacks: {', '.join(sorted(unknown))}.")
    return Binary(variables, aliases)


def _check_head(path: Path, reader: "_Reader") -> None:
    version = reader.number("I")
    if version != _VERSION:
        raise ModelLoadError(f"{path}: expected version {_VERSION} of CTranslate2's format, got {version}.")
    kind, revision = reader.name(), reader.number("I")
    if (kind, revision) != (_SPECIFICATION, _REVISION):
        raise ModelLoadError(
            f"{path}: expected a {_SPECIFICATION} of revision {_REVISION}, got {kind:.50} of revision {revision}."
        )


class _Reader:
    """Reads values from a `model.bin`, one after another."""

    def __init__(self, path: Path, file: Array) -> None:
        self._path = path
        self._file = file
        self._place = 0

    def number(self, form: str) -> int:
        return int(struct.unpack(f"<{form}", self._take(struct.calcsize(form)).tobytes())[0])

    def name(self) -> str:
        text = self._take(self.number("H")).tobytes()
        try:
            return text.removesuffix(b"\0").decode()
        except UnicodeDecodeError as error:
            raise ModelLoadError(f"{self._path}: expected a name at byte {self._place}, got {text[:50]!r}.") from error

    def array(self, name: str) -> Array:
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        kind, size = self.number("B"), self.number("I")
        if kind >= len(_DTYPES):
            raise ModelLoadError(f"{self._path}: {name} has type {kind}; expected 0 to {len(_DTYPES) - 1}.")
        stored: np.dtype[Any] = np.dtype(_DTYPES[kind])
        if size != math.prod(shape) * stored.itemsize:
            raise ModelLoadError(f"{self._path}: {name} of shape {shape}, type {kind}, cannot have {size} bytes.")
        numbers = self._take(size).view(np.ndarray).view(stored).reshape(shape)
        return float32_of_bfloat16(numbers) if kind == _BFLOAT16 else numbers

    def _take(self, size: int) -> Array:
        begin, self._place = self._place, self._place + size
        if self._place > self._file.size:
            raise ModelLoadError(
                f"{self._path}: expected {size} bytes at byte {begin}, got the end of the file ({self._file.size} "
                "bytes). The file is damaged or was not downloaded completely."
            )
        return self._file[begin : self._place]
