"""Memory and processor time of the system, noted every second."""

import threading
import time
from typing import NamedTuple, Self

from benchmarks.under_load.server import busy_s, cpu_s, resident_mb


class Moment(NamedTuple):
    """The system at some time.

    Attributes:
        at_s: monotonic time.
        memory_mb: resident memory with all decoders.
        cpu_s: processor time so far, with that of all decoders.
        busy_s: processor time of all programs of the machine so far.
    """

    at_s: float
    memory_mb: float
    cpu_s: float
    busy_s: float


class Watch:
    """Notes moments of a process until the context ends."""

    def __init__(self, pid: int, every_s: float = 1.0) -> None:
        self._pid = pid
        self._every_s = every_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._note, daemon=True)
        self.moments: list[Moment] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _note(self) -> None:
        while not self._is_over.is_set():
            self.moments.append(Moment(time.monotonic(), resident_mb(self._pid), cpu_s(self._pid), busy_s()))
            self._is_over.wait(self._every_s)

    def cores(self, since_s: float, until_s: float) -> tuple[float, float]:
        """Cores that the system used between two times, and those that all other programs used."""
        first, *_, last = [one for one in self.moments if since_s <= one.at_s <= until_s]
        took_s, used_s = last.at_s - first.at_s, last.cpu_s - first.cpu_s
        return used_s / took_s, (last.busy_s - first.busy_s - used_s) / took_s
