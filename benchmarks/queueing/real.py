"""Send recordings to a real server, and simulate the same recordings."""

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
from benchmarks.under_load.server import Server, busy_s, cpu_s
from benchmarks.under_load.speech import recording

LONGEST_S = 120  # a measurement of minutes cannot wait for the longest recordings
_LENGTHS_S, _EACH = (1, 2, 4, 8, 14, 20, 26), 12
_DRAWS = 41

speech = cache(recording)


class Comparison(NamedTuple):
    """Times of the same recordings, measured and simulated, seconds; without the first third.

    Attributes:
        cpu_s: processor time of the server.
        others_s: processor time of all other programs of the machine, this one included.
    """

    real: list[float]
    simulated: list[float]
    cpu_s: float
    others_s: float
    wall_s: float


class _Arrivals(NamedTuple):
    """Recordings that arrive within some time: when, and how long they are."""

    at_s: list[float]
    length_s: list[int]


async def measure(http: httpx.AsyncClient) -> Machine:
    """Measure what a recording and a second of sound cost in processor time, with all cores at work.

    The processor time of all programs counts, because the program that sends the recordings uses the same cores.
    """
    cores = os.cpu_count() or 1
    await asyncio.gather(*(ask(http, speech(_LENGTHS_S[0])) for _ in range(2 * cores)))
    costs = []
    for length_s in _LENGTHS_S:
        await asyncio.to_thread(speech, length_s)
        before, left = busy_s(), asyncio.Semaphore(cores)
        await asyncio.gather(*(_ask(http, length_s, left) for _ in range(_EACH)))
        costs.append((busy_s() - before) / _EACH)
    # The weights make relative errors count: most recordings are short.
    per_second, fixed_s = np.polyfit(_LENGTHS_S, costs, 1, w=1 / np.array(costs)).tolist()
    if fixed_s < 0:  # what a recording costs by itself is lost in the scatter
        return Machine(cores, 0.0, sum(costs) / sum(_LENGTHS_S))
    return Machine(cores, fixed_s, per_second)


async def _ask(http: httpx.AsyncClient, length_s: int, places: asyncio.Semaphore) -> float:
    async with places:
        return await ask(http, speech(length_s))


async def compare(
    http: httpx.AsyncClient, running: Server, machine: Machine, lengths: Lengths, *, load: float, seconds: float
) -> Comparison:
    """Send recordings for some seconds at a load, and simulate the same recordings.

    In a few minutes at a high load, chance alone can double the times. So of many draws of recordings, the one is sent
    of which the simulated p95 is in the middle. The queue is empty at first, so the first third is not compared.

    Raises:
        httpx.HTTPError: the server refused one.
    """
    draws = [_drawn(machine, lengths, seed, load=load, seconds=seconds) for seed in range(_DRAWS)]
    arrivals, simulated = sorted(draws, key=lambda one: percentile(one[1], 95))[_DRAWS // 2]
    for length_s in set(arrivals.length_s):
        await asyncio.to_thread(speech, length_s)
    before_s, busy_before_s, began_s = cpu_s(running.pid), busy_s(), time.perf_counter()
    real = await asyncio.gather(*(_later(http, at_s, length_s) for at_s, length_s in zip(*arrivals, strict=True)))
    wall_s, server_s = time.perf_counter() - began_s, cpu_s(running.pid) - before_s
    others_s = busy_s() - busy_before_s - server_s
    return Comparison(real[len(real) // 3 :], simulated, server_s, others_s, wall_s)


def _drawn(
    machine: Machine, lengths: Lengths, seed: int, *, load: float, seconds: float
) -> tuple[_Arrivals, list[float]]:
    """Return random arrivals within some seconds, and the simulated times of the last two thirds."""
    random = np.random.default_rng(seed)
    some = lengths.draw(random, 10_000).round().clip(1)
    every_s = float((machine.fixed_s + machine.per_second * some).mean()) / machine.cores / load
    at_s = np.cumsum(random.exponential(every_s, int(seconds / every_s) + 1)).tolist()
    arrivals = _Arrivals(at_s, some[: len(at_s)].astype(int).tolist())
    times = simulate(machine, at_s, [pieces(random, one) for one in arrivals.length_s])
    return arrivals, times[len(times) // 3 :].tolist()


async def _later(http: httpx.AsyncClient, at_s: float, length_s: int) -> float:
    await asyncio.sleep(at_s)
    return await ask(http, speech(length_s))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent of all values do not exceed, seconds."""
    return float(np.percentile(values, percent))
