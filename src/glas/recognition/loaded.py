"""A model in memory, and the amount of memory that it uses."""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from glas.domain.model_ref import ModelRef
from glas.engines import Engine, allocator


@dataclass(eq=False)
class LoadedModel:
    """A model that is loaded into memory.

    Attributes:
        engine: the engine that recognises with the model.
        version: version of the model's weights.
        memory_bytes: by how many bytes the memory of the process grew while the model was loaded; None if the system
            does not report the memory.
        since: time at which the model was loaded.
        n_leases: number of requests that use the model now.
        used_at: time at which the last lease ended, in seconds on the monotonic clock.
        is_retired: whether the model was removed from the registry. It is closed when its last lease ends.
    """

    engine: Engine
    version: str
    memory_bytes: int | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    n_leases: int = 0
    used_at: float = field(default_factory=time.monotonic)
    is_retired: bool = False

    @property
    def ref(self) -> ModelRef:
        """The name of the model and the version of its weights."""
        return ModelRef(name=self.engine.name, version=self.version)

    def free(self) -> None:
        """Close the engine, and return its memory to the operating system."""
        self.engine.close()
        allocator.trim()  # hundreds of megabytes of weights


def resident_bytes() -> int | None:
    """Return the resident memory of this process (RSS) in bytes; None if the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
