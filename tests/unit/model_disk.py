"""Models that exist only in tests of the registry, and a registry of these models."""

import threading
from collections.abc import Sequence

from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.errors import ModelLoadError, UnknownModelError
from glas.domain.transcription import Hypothesis, Samples
from glas.recognition.loaded import LoadedModel
from glas.recognition.names import ModelNames
from glas.recognition.registry import Registry

ON_DISK = ("embedded", "onnx:second", "onnx:third", "onnx:fourth")


class Loaded:
    """An engine that only stores whether it is closed."""

    window_s = 30.0
    abilities = Abilities()

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_closed = False

    def recognise(self, batch: Sequence[Samples], _options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        raise NotImplementedError(batch)

    def close(self) -> None:
        self.is_closed = True


class Disk:
    """Loads models, slowly if the test requires this, and counts the loads."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.door = threading.Event()
        self.door.set()
        self.held = True  # whether loads wait for the door
        self.engines: list[Loaded] = []
        self.began = threading.Semaphore(0)
        self.broken: set[str] = set()
        self.versions = dict.fromkeys(ON_DISK, 1)

    def load(self, name: str) -> Loaded:
        self.loads.append(name)
        self.began.release()
        assert not self.held or self.door.wait(20)
        if name in self.broken:
            raise ModelLoadError(f"{name} is broken")
        self.engines.append(Loaded(name))
        return self.engines[-1]

    def version_of(self, name: str) -> str:
        return f"version {self.versions[name]}"

    def resolve(self, name: str) -> str:
        for full in ON_DISK:
            if name in (full, full.rpartition(":")[2]):
                return full
        raise UnknownModelError(f"no {name}", param="model")


def is_closed(model: LoadedModel) -> bool:
    assert isinstance(model.engine, Loaded)
    return model.engine.is_closed


def registry_of(disk: Disk, *, most: int = 3, keep_alive_s: float = 0, keep_former_s: float = 0) -> Registry:
    return Registry(
        ModelNames(disk.resolve, default="embedded", available=lambda: ON_DISK),
        disk.load,
        version_of=disk.version_of,
        most=most,
        keep_alive_s=keep_alive_s,
        keep_former_s=keep_former_s,
    )
