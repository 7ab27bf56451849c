"""Load the server: simultaneous callers, memory over a thousand requests, messages beside a long recording.

    python benchmarks/load.py callers [N]      throughput and times for 1, 4, 16 and 64 callers, N requests each
    python benchmarks/load.py memory [SVG]     resident memory over 1,000 requests of 16 callers, and a picture of it
    python benchmarks/load.py long [S]         ten messages beside a recording of two hours, or of S seconds
    python benchmarks/load.py batching [S …]   what a piece of speech costs alone and among others, without a server

The server is `glas run nn_service` in a process of its own, with the model that GLAS_MODEL names; its processor time
and memory are read from /proc. `python -m benchmarks.whisper_small` writes a Whisper of true size to name there. On a
machine that does other work besides, times are longer than they need be; what they are compared with comes from the
same run, and the load of the machine is printed.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.under_load.batching import batching
from benchmarks.under_load.callers import ask, load, percentile
from benchmarks.under_load.picture import drawn
from benchmarks.under_load.server import Server, cpu_s, resident_mb, server
from benchmarks.under_load.speech import SAMPLES, decoded, recording
from glas.domain.transcription import SAMPLE_RATE_HZ

CALLERS = (1, 4, 16, 64)
REQUESTS = 200
MEMORY_REQUESTS = 1000
TWO_HOURS_S = 7200
MESSAGES = 10
CORES = os.cpu_count() or 1


async def callers(http: httpx.AsyncClient, running: Server, most: int) -> None:
    """Throughput and times for growing numbers of callers; one alone sends a quarter of `most` requests."""
    audio_s = statistics.mean(len(decoded(path)) for path in SAMPLES) / SAMPLE_RATE_HZ
    print(f"messages of {audio_s:.1f} s on average; p95 ÷ even share: all callers' processor time over {CORES} cores")
    print("callers  errors  messages/s  x real time   p50 ms   p95 ms  cpu ms/message  cores used  p95 ÷ even share")
    await load(http, 4, 20)
    for n_callers in CALLERS:
        n_requests = most if n_callers > 1 else most // 4
        before = cpu_s(running.pid)
        done = await load(http, n_callers, n_requests)
        work_s = (cpu_s(running.pid) - before) / n_requests
        rate = len(done.times_s) / done.wall_s
        p50, p95 = (percentile(done.times_s, percent) for percent in (50, 95))
        even_s = work_s * max(1.0, n_callers / CORES)
        print(
            f"{n_callers:7d}{done.errors:8d}{rate:12.1f}{rate * audio_s:13.0f}{1000 * p50:9.0f}{1000 * p95:9.0f}"
            f"{1000 * work_s:16.1f}{rate * work_s:12.2f}{p95 / even_s:18.2f}"
        )


async def memory(http: httpx.AsyncClient, running: Server) -> str:
    """Measure resident memory during a thousand requests of 16 callers; return a picture."""
    seen: list[float] = []
    done = await load(http, 16, MEMORY_REQUESTS, lambda: seen.append(resident_mb(running.pid)))
    early, late = statistics.mean(seen[200:300]), statistics.mean(seen[900:1000])
    print(f"{len(seen)} requests, {done.errors} errors, {done.wall_s:.0f} s, 16 callers")
    print(f"resident memory, decoders included: {early:.1f} MB over requests 200–300, {late:.1f} MB over 900–1,000")
    print(f"ratio {late / early:.3f}; most {max(seen):.1f} MB")
    return drawn(seen)


async def long(http: httpx.AsyncClient, running: Server, length_s: int) -> None:
    """Send ten messages to an idle server, then ten beside a long recording."""
    message = SAMPLES[0].read_bytes()
    for _ in range(MESSAGES):
        await ask(http, message)
    idle = [await ask(http, message) for _ in range(MESSAGES)]
    hours = recording(length_s)
    print(f"recording: {length_s} s, {len(hours) / 1e6:.0f} MB of Ogg/Opus")
    most_mb = 0.0

    async def watch() -> None:
        nonlocal most_mb
        while True:
            most_mb = max(most_mb, resident_mb(running.pid))
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    before, began = cpu_s(running.pid), time.perf_counter()
    whole = asyncio.create_task(ask(http, hours))
    await asyncio.sleep(3)
    beside = []
    for _ in range(MESSAGES):
        beside.append(await ask(http, message))
        await asyncio.sleep(0.3)
    print(f"the recording was {'done' if whole.done() else 'still being recognised'} after the last message")
    await within(whole, float(os.environ.get("LONGEST_S", "240")))
    watching.cancel()
    print(f"seconds {time.perf_counter() - began:.0f}, processor seconds {cpu_s(running.pid) - before:.0f}")
    print(f"most resident memory {most_mb:.0f} MB")
    for name, times in (("idle", idle), ("beside", beside)):
        print(f"{name}: p50 {1000 * percentile(times, 50):.0f} ms, p95 {1000 * percentile(times, 95):.0f} ms")
    print(f"ratio of p95 {percentile(beside, 95) / percentile(idle, 95):.2f}")


async def within(work: Awaitable[float], longest_s: float) -> None:
    """Wait for the recording, with a limit."""
    try:
        await asyncio.wait_for(work, longest_s)
    except TimeoutError:
        print(f"given up after {longest_s:.0f} s more")


async def main(what: str, *rest: str) -> None:
    """Run one measurement and print the results."""
    with server() as running:
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=600) as http:
            model = (await http.get("/health")).json()["model"]
            load_before = os.getloadavg()[0]
            print(f"{model}, {CORES} cores, load {load_before:.1f}, {time.strftime('%Y-%m-%d')}")
            match what:
                case "callers":
                    await callers(http, running, int(rest[0]) if rest else REQUESTS)
                case "memory":
                    picture = await memory(http, running)
                    for place in rest:
                        await asyncio.to_thread(Path(place).write_text, picture, encoding="utf-8")
                case "long":
                    await long(http, running, int(rest[0]) if rest else TWO_HOURS_S)
                case _:
                    raise SystemExit(__doc__)


if __name__ == "__main__":
    if sys.argv[1:2] == ["batching"]:
        batching([int(length) for length in sys.argv[2:]] or [4, 8, 15])
    else:
        asyncio.run(main(*(sys.argv[1:] or ["callers"])))
