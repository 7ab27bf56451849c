"""Read and write weights in the safetensors format without torch; a file that is read is mapped into memory.

The format consists of three parts. First come 8 bytes with the length of the header, a little-endian number. Then comes
the header, a JSON object with the dtype, shape and position of each tensor. The numbers of the tensors follow, row
after row (huggingface/safetensors, README). The package `safetensors` is not used, because its NumPy interface does not
have bfloat16, in which many checkpoints are published.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glas.domain.errors import ModelError, ModelFileMissingError, ModelLoadError

Array = npt.NDArray[Any]

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
_BFLOAT16 = "BF16"
_ALIGNMENT = 8
_MIN_HEADER_BYTES = 2  # {}
# The reference implementation refuses longer headers.
_MAX_HEADER_BYTES = 100_000_000


def read_tensors(path: Path) -> dict[str, Array]:
    """Read all tensors of a file by name; tensors in bfloat16 become float32.

    The arrays are mapped from the file. Changes to the arrays stay in memory and do not change the file.

    Raises:
        ModelFileMissingError: there is no such file.
        ModelLoadError: the file is not a complete safetensors file.
    """
    try:
        file = np.memmap(path, np.uint8, mode="c")
    except FileNotFoundError as error:
        raise ModelFileMissingError(f"There is no file {path}.") from error
    except ValueError as error:  # an empty file cannot be mapped
        raise ModelLoadError(f"{path}: expected a safetensors file, got an empty one.") from error
    start, header = _header(path, file)
    content = file[start:]
    return {name: _tensor(path, name, entry, content) for name, entry in header.items() if name != "__metadata__"}


def write_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file; the same tensors give the same bytes.

    Args:
        path: path of the new file.
        tensors: the tensors by name, with types that `_DTYPES` lists.
        metadata: texts that are written into the header of the file.

    Raises:
        ModelError: a tensor has a type that `_DTYPES` does not list.
    """
    types = {np.dtype(stored): name for name, stored in _DTYPES.items()}
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    place = 0
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype not in types:
            raise ModelError(f"{path}: expected {name} to be one of {', '.join(_DTYPES)}, got {tensor.dtype}.")
        offsets = [place, place + tensor.nbytes]
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        place += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    # Spaces after the header make the offset of the numbers a multiple of eight.
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in sorted(tensors.items()):
            file.write(tensor.tobytes())


def _header(path: Path, file: Array) -> tuple[int, dict[str, Any]]:
    length = int.from_bytes(file[:8].tobytes(), "little")
    if not _MIN_HEADER_BYTES <= length <= min(_MAX_HEADER_BYTES, file.size - 8):
        raise ModelLoadError(f"{path}: expected a safetensors file; got a header of {length} bytes in {file.size}.")
    try:
        header = json.loads(file[8 : 8 + length].tobytes())
    except ValueError as error:
        raise ModelLoadError(f"{path}: expected a safetensors file; its header is not JSON: {error}.") from error
    if not isinstance(header, dict):
        raise ModelLoadError(f"{path}: expected a safetensors file; its header is not a JSON object.")
    return 8 + length, header


def _tensor(path: Path, name: str, entry: Any, content: Array) -> Array:
    try:
        dtype, shape = entry["dtype"], tuple(int(size) for size in entry["shape"])
        begin, end = (int(place) for place in entry["data_offsets"])
        stored = np.dtype("<u2" if dtype == _BFLOAT16 else _DTYPES[dtype])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelLoadError(f"{path}: the header's entry for {name} cannot be read: {entry!r:.200}.") from error
    expected = math.prod(shape) * stored.itemsize
    if end - begin != expected or not 0 <= begin <= end <= content.size:
        raise ModelLoadError(
            f"{path}: expected {expected} bytes for {name} ({dtype}, shape {shape}) within {content.size}; "
            f"got bytes {begin} to {end}. The file is damaged or was not downloaded completely."
        )
    numbers = content[begin:end].view(np.ndarray).view(stored).reshape(shape)
    return float32_of_bfloat16(numbers) if dtype == _BFLOAT16 else numbers


def float32_of_bfloat16(numbers: Array) -> Array:
    """Convert bfloat16 numbers, given as uint16, to float32.

    A bfloat16 number is the upper half of a float32 number.
    """
    return (numbers.astype(np.uint32) << 16).view(np.float32)
