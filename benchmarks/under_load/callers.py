"""Callers of a server."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
import numpy as np

from benchmarks.under_load.speech import SAMPLES

FORM = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}


class Load(NamedTuple):
    """The results of a number of requests."""

    times_s: list[float]
    errors: int
    wall_s: float


async def ask(http: httpx.AsyncClient, data: bytes) -> float:
    """Send one recording; return the seconds until the text arrives."""
    began = time.perf_counter()
    answer = await http.post("/v1/audio/transcriptions", files={"file": data}, data=FORM)
    answer.raise_for_status()
    return time.perf_counter() - began


async def load(
    http: httpx.AsyncClient, n_callers: int, n_requests: int, on_answer: Callable[[], None] = lambda: None
) -> Load:
    """Callers who send their next message as soon as they have the text of the last one."""
    messages = [path.read_bytes() for path in SAMPLES]
    numbers = iter(range(n_requests))
    times: list[float] = []
    errors = 0

    async def caller() -> None:
        nonlocal errors
        for number in numbers:
            try:
                times.append(await ask(http, messages[number % len(messages)]))
            except httpx.HTTPError as error:
                errors += 1
                print(f"  {error!r}")
            on_answer()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(n_callers)))
    return Load(times, errors, time.perf_counter() - began)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent of all values do not exceed."""
    return float(np.percentile(values, percent, method="inverted_cdf"))
