"""Load a model, determine its version, and measure how much memory the process needs for it."""

import time
from collections.abc import Callable
from typing import TypeAlias

import structlog

from glas.domain.errors import ModelLoadError
from glas.engines import Engine
from glas.recognition.loaded import LoadedModel, resident_bytes

_log = structlog.stdlib.get_logger("glas.recognition")

LoadEngine: TypeAlias = Callable[[str], Engine]

_MOST_LOADS = 3  # largest number of attempts to load a model whose files are replaced while it is loaded


class ModelLoader:
    """Loads models. Several threads may share a loader.

    Args:
        load: makes an engine from a uniform name.
        version_of: returns the version of the files on disk for a uniform name.
    """

    def __init__(self, load: LoadEngine, version_of: Callable[[str], str]) -> None:
        self._load = load
        self._version_of = version_of

    def is_current(self, model: LoadedModel, name: str) -> bool:
        """Return whether a loaded model has the version of the files that are on disk under the uniform name `name`."""
        return model.version == self._version_of(name)

    def load(self, name: str, expected: str | None = None) -> LoadedModel:
        """Load a model by its uniform name. If `expected` is given, the model must have this version.

        Raises:
            ModelError: the model cannot be loaded, or its files do not have the version `expected`.
        """
        for _ in range(_MOST_LOADS):
            before, began = resident_bytes(), time.monotonic()
            version = self._version_of(name)
            if expected not in (None, version):
                raise ModelLoadError(f"expected version {expected} of {name}, got files of version {version}")
            engine = self._load(name)
            if self._version_of(name) == version:
                after = resident_bytes()
                grown = None if before is None or after is None else max(0, after - before)
                _log.info("model loaded", model=name, version=version, seconds=round(time.monotonic() - began, 3))
                return LoadedModel(engine, version, grown)
            engine.close()
        raise ModelLoadError(f"The files of {name} were replaced again and again while they were loaded.")
