"""Recordings sent to a real server as they would arrive, beside the simulation of the same recordings."""

import asyncio
import os
import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import httpx
import numpy as np

from benchmarks.queueing.simulation import simulate
from benchmarks.queueing.traffic import Lengths, Machine, pieces
from benchmarks.under_load.callers import ask
from benchmarks.under_load.server import Server, cpu_s
from benchmarks.under_load.speech import recording

_LONGEST_S = 120  # a measurement of minutes cannot wait for the longest recordings
_SHORT_S, _LONG_S, _EACH = 4, 20, 12

speech = cache(recording)


class Comparison(NamedTuple):
    """Times of the same recordings, measured and simulated, seconds.

    Attributes:
        cpu_s: processor time of the server.
    """

    real: list[float]
    simulated: list[float]
    cpu_s: float
    wall_s: float


async def measure(http: httpx.AsyncClient, running: Server) -> Machine:
    """Measure what a recording and a second of sound cost in processor time, with all cores at work."""
    cores = os.cpu_count() or 1
    await asyncio.gather(*(ask(http, speech(_SHORT_S)) for _ in range(2 * cores)))
    costs = []
    for length_s in (_SHORT_S, _LONG_S):
        before, left = cpu_s(running.pid), asyncio.Semaphore(cores)
        await asyncio.gather(*(_ask(http, length_s, left) for _ in range(_EACH)))
        costs.append((cpu_s(running.pid) - before) / _EACH)
    # Beside other programs, what a recording costs by itself may be lost in the scatter.
    fixed_s = max((costs[0] * _LONG_S - costs[1] * _SHORT_S) / (_LONG_S - _SHORT_S), 0.0)
    return Machine(cores, fixed_s, (costs[1] - fixed_s) / _LONG_S)


async def _ask(http: httpx.AsyncClient, length_s: int, places: asyncio.Semaphore) -> float:
    async with places:
        return await ask(http, speech(length_s))


async def compare(
    http: httpx.AsyncClient, running: Server, machine: Machine, lengths: Lengths, *, load: float, seconds: float
) -> Comparison:
    """Send recordings for some seconds at a load, and simulate the same recordings.

    Raises:
        httpx.HTTPError: the server refused one.
    """
    random = np.random.default_rng(1)
    some = np.minimum(lengths.draw(random, 10_000), _LONGEST_S).round().clip(1)
    every_s = float((machine.fixed_s + machine.per_second * some).mean()) / machine.cores / load
    arrivals = np.cumsum(random.exponential(every_s, int(seconds / every_s) + 1)).tolist()
    drawn = some[: len(arrivals)].astype(int).tolist()
    for length_s in set(drawn):
        await asyncio.to_thread(speech, length_s)
    before, began = cpu_s(running.pid), time.perf_counter()
    real = await asyncio.gather(*(_later(http, at_s, length) for at_s, length in zip(arrivals, drawn, strict=True)))
    wall_s = time.perf_counter() - began
    simulated = simulate(machine, arrivals, [pieces(random, length) for length in drawn])
    return Comparison(real, simulated.tolist(), cpu_s(running.pid) - before, wall_s)


async def _later(http: httpx.AsyncClient, at_s: float, length_s: int) -> float:
    await asyncio.sleep(at_s)
    return await ask(http, speech(length_s))


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of all do not exceed, seconds."""
    return float(np.percentile(values, percent))
