"""Compute the version of a model's weights: a hash over its files.

The hash includes all files that can change a recognised text: weights, vocabulary and configuration, an adapter, the
language model and the calibration. The hash does not include licences, checksums and the model card (README.md). There
is one exception: if the card contains the margin (the seconds of silence in `glas.engines.whisper.context`), the hash
includes this margin.

A file is read again only if its size or modification time has changed. The hashes are kept in memory, and in a file in
the directory of models if this directory exists.
"""

import contextlib
import hashlib
import json
import threading
import time
from pathlib import Path

from glas.domain.errors import ModelLoadError
from glas.domain.model_ref import VERSION_LENGTH
from glas.engines.catalogue import known_model, local_directory
from glas.engines.whisper.context import stated_rule
from glas.system.files import replace_text, sha256_of

CHECKSUMS = ".checksums.json"

_SUFFIXES = frozenset({".bin", ".data", ".json", ".model", ".npz", ".onnx", ".pt", ".pth", ".safetensors", ".txt"})

# If a file was written less than this time before it was read, it may change again within the resolution of
# modification times.
_UNSETTLED_S = 2.0

_State = tuple[int, int]


class ModelVersions:
    """Compute versions of models. Every method may be called from any thread.

    Args:
        models_dir: directory of downloaded models; checksums are stored there if this directory exists.
        keeps: whether checksums are stored; False if the directory must not be written to.
    """

    def __init__(self, models_dir: Path, *, keeps: bool = True) -> None:
        self._models_dir = models_dir
        self._keeps = keeps
        self._kept = models_dir / CHECKSUMS
        self._lock = threading.Lock()
        self._checksums: dict[str, tuple[_State, str]] = _read(self._kept)

    def version_of(self, name: str) -> str:
        """Compute the version of the files that a model has on disk now.

        Args:
            name: uniform name of the model.

        Raises:
            UnknownModelError: there is no model of that name.
        """
        place = Path(name.partition(":")[2])
        return self.version_in(place if place.is_absolute() else self._directory(name))

    def version_in(self, directory: Path) -> str:
        """Compute the version of the model in a directory."""
        digest = hashlib.sha256()
        for path in sorted(directory.rglob("*")):
            if path.suffix in _SUFFIXES and not path.name.startswith(".") and path.is_file():
                digest.update(f"{path.relative_to(directory).as_posix()} {self._checksum(path)}\n".encode())
        with contextlib.suppress(ModelLoadError):  # a damaged configuration is reported when the model is loaded
            digest.update(f"{stated_rule(directory)}\n".encode())
        return digest.hexdigest()[:VERSION_LENGTH]

    def _directory(self, name: str) -> Path:
        return local_directory(self._models_dir, known_model(name).name)

    def _checksum(self, path: Path) -> str:
        where = str(path.resolve())
        with self._lock:
            known = self._checksums.get(where)
        if known is not None and known[0] == _state(path):
            return known[1]
        state = _state(path)
        checksum = sha256_of(path)
        if state == _state(path) and time.time() - state[1] / 1e9 > _UNSETTLED_S:
            with self._lock:
                self._checksums[where] = state, checksum
                self._write()
        return checksum

    def _write(self) -> None:
        if not self._keeps or not self._models_dir.is_dir():
            return
        with contextlib.suppress(OSError):  # in a read-only directory, files are read again at each start
            replace_text(self._kept, json.dumps(self._checksums))


def _state(path: Path) -> _State:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _read(kept: Path) -> dict[str, tuple[_State, str]]:
    try:
        rows = json.loads(kept.read_text(encoding="utf-8"))
        return {str(where): ((int(size), int(time_ns)), str(sum_)) for where, ((size, time_ns), sum_) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
