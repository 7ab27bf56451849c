"""A simulation of the batcher: pieces of recordings on processors, in the order in which `Batcher` takes them.

Modelled as in `glas.recognition.batcher`: start-time fair queueing, one worker for each core, and one more for messages
while a piece of a long recording is being recognised. Running pieces share the cores evenly. Not modelled: batches,
which the embedded model does not use, and the limit of eight waiting pieces of a long recording.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.queueing.traffic import Machine, Vector
from glas.recognition.slots import MESSAGE_S

_DONE_S = 1e-9


@dataclass(eq=False, slots=True)
class _Recording:
    number: int
    arrived_s: float
    is_long: bool
    n_left: int


@dataclass(eq=False, slots=True)
class _Running:
    recording: _Recording
    left_s: float


# Tag, number, recording, seconds of work.
_Waiting = tuple[float, int, _Recording, float]


class _Cores:
    """The cores of a machine, the pieces on them and those that wait."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._running: list[_Running] = []
        self._waiting: tuple[list[_Waiting], list[_Waiting]] = ([], [])  # of messages, of long recordings
        self._virtual_s = 0.0
        self._number = 0
        self.now_s = 0.0
        self.times_s: list[float] = []
        self.order: list[int] = []

    def arrive(self, parts: Sequence[float]) -> None:
        """Put all pieces of a recording into the queue."""
        is_long = sum(parts) > MESSAGE_S
        recording = _Recording(len(self.times_s), self.now_s, is_long, len(parts))
        self.times_s.append(float("nan"))
        tag, fixed_s = self._virtual_s, self._machine.fixed_s
        for part_s in parts:
            work_s = fixed_s + self._machine.per_second * part_s
            heapq.heappush(self._waiting[is_long], (tag, self._number, recording, work_s))
            self._number += 1
            tag, fixed_s = tag + part_s, 0.0
        self._start()

    def until(self, end_s: float) -> None:
        """Work until a time."""
        while self._running:
            rate = min(1.0, self._machine.cores / len(self._running))
            step_s = min(one.left_s for one in self._running) / rate
            if self.now_s + step_s > end_s:
                self._work((end_s - self.now_s) * rate)
                break
            self._work(step_s * rate)
            self.now_s += step_s
            self._finish()
            self._start()
        self.now_s = end_s

    def _work(self, amount_s: float) -> None:
        for one in self._running:
            one.left_s -= amount_s

    def _finish(self) -> None:
        for one in self._running:
            if one.left_s <= _DONE_S:
                one.recording.n_left -= 1
                if not one.recording.n_left:
                    self.times_s[one.recording.number] = self.now_s - one.recording.arrived_s
        self._running = [one for one in self._running if one.left_s > _DONE_S]

    def _start(self) -> None:
        while (queue := self._next()) is not None:
            tag, number, recording, work_s = heapq.heappop(queue)
            self._virtual_s = max(self._virtual_s, tag)
            self._running.append(_Running(recording, work_s))
            self.order.append(number)

    def _next(self) -> list[_Waiting] | None:
        """The queue whose first piece may go now."""
        messages, long = self._waiting
        n_running = len(self._running)
        if n_running < self._machine.cores:
            return min((one for one in (messages, long) if one), key=lambda one: one[0][:2], default=None)
        has_long = any(one.recording.is_long for one in self._running)
        return messages if messages and has_long and n_running == self._machine.cores else None


def simulate(machine: Machine, arrivals_s: Sequence[float], recordings: Sequence[Sequence[float]]) -> Vector:
    """Seconds from the arrival of each recording to its text.

    Args:
        machine: whose cores recognise.
        arrivals_s: times of arrival, ascending.
        recordings: lengths of the pieces of each, seconds.
    """
    cores = _Cores(machine)
    for arrival_s, parts in zip(arrivals_s, recordings, strict=True):
        cores.until(arrival_s)
        cores.arrive(parts)
    cores.until(float("inf"))
    return np.array(cores.times_s)


def order(machine: Machine, recordings: Sequence[Sequence[float]]) -> list[int]:
    """The order in which the pieces of recordings that arrive together begin; pieces are numbered as they arrive."""
    cores = _Cores(machine)
    for parts in recordings:
        cores.arrive(parts)
    cores.until(float("inf"))
    return cores.order
