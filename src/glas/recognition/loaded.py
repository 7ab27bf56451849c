"""A model in memory, and the memory of the process."""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from glas.domain.model_ref import ModelRef
from glas.engines import Engine, allocator


@dataclass(eq=False)
class LoadedModel:
    """A model in memory.

    Attributes:
        engine: recognises with it.
        version: of its weights.
        memory_bytes: by how much the process grew while it was loaded; None where the system does not tell.
        since: when it was loaded.
        n_leases: requests that use it.
        used_at: when it was last wanted, of the monotonic clock, seconds.
        is_retired: it was unloaded or replaced, and is closed after the last lease.
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
        """The model and its version."""
        return ModelRef(name=self.engine.name, version=self.version)

    def free(self) -> None:
        """Close the engine, and give its memory back to the system."""
        self.engine.close()
        allocator.trim()  # hundreds of megabytes of weights


def resident_bytes() -> int | None:
    """Memory of this process that is in use (RSS); None where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
