"""The server under load: callers at once, memory over a thousand requests, messages beside a recording of two hours.

    python benchmarks/load.py callers          throughput and times for 1, 4, 16 and 64 callers
    python benchmarks/load.py memory [SVG]     resident memory over 1,000 requests of 16 callers, and a picture of it
    python benchmarks/load.py long             ten messages beside a recording of two hours
    python benchmarks/load.py batching [S …]   what a piece of speech costs alone and among others, without a server

The server is `glas run nn_service` in a process of its own, with the model that GLAS_MODEL names; its processor time
and memory are read from /proc. On a machine that does other work besides, times are longer than they need be; what
they are compared with comes from the same run, and the load of the machine is printed.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import av
import httpx
import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.load import load_engine
from glas.settings import Settings

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.ogg"))
CALLERS = (1, 4, 16, 64)
REQUESTS = 200  # for each number of callers, save one caller: a quarter of them
MEMORY_REQUESTS = 1000
TWO_HOURS_S = 7200
MESSAGES = 10
BATCHES = (1, 4, 8)
CORES = os.cpu_count() or 1
FORM = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}


class Server(NamedTuple):
    """A running server."""

    url: str
    pid: int


class Load(NamedTuple):
    """What came of a number of requests."""

    times_s: list[float]
    errors: int
    wall_s: float


@contextmanager
def server() -> Iterator[Server]:
    """`glas run nn_service` on a free port, with a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="glas-load-") as directory:
        own = {"GLAS_DATA_DIR": directory, "GLAS_NN_SERVICE__PORT": "0", "GLAS_LOG__LEVEL": "warning"}
        own["PYTHONUNBUFFERED"] = "1"
        process = subprocess.Popen(
            [sys.executable, "-m", "glas", "run", "nn_service"], env=os.environ | own, stdout=subprocess.PIPE, text=True
        )
        try:
            for line in process.stdout or ():
                if found := re.search(r"(http://\S+?:\d+)/v1", line):
                    yield Server(found[1], process.pid)
                    return
            raise SystemExit(f"the server ended with {process.wait()}")
        finally:
            process.terminate()
            process.communicate()


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of its children, living and waited for."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [pid, *(int(child) for one in lists for child in one.read_text(encoding="ascii").split())]
    return sum(_ticks(one) for one in pids) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(ticks) for ticks in fields[11:15])


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, 10⁶ bytes."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [pid, *(int(child) for one in lists for child in one.read_text(encoding="ascii").split())]
    return sum(_resident_pages(one) for one in pids) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return 0


async def ask(http: httpx.AsyncClient, data: bytes) -> float:
    """Send one recording; seconds until the text is there."""
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
    """The value that so many percent of all do not exceed."""
    return float(np.percentile(values, percent, method="inverted_cdf"))


async def callers(http: httpx.AsyncClient, running: Server) -> None:
    """Throughput and times for growing numbers of callers."""
    audio_s = statistics.mean(len(decoded(path)) for path in SAMPLES) / SAMPLE_RATE_HZ
    print(f"messages of {audio_s:.1f} s on average; p95 ÷ even share: all callers' processor time over {CORES} cores")
    print("callers  errors  messages/s  x real time   p50 ms   p95 ms  cpu ms/message  cores used  p95 ÷ even share")
    await load(http, 4, 20)
    for n_callers in CALLERS:
        n_requests = REQUESTS if n_callers > 1 else REQUESTS // 4
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
    """Resident memory while a thousand requests of 16 callers go by; returns a picture of it."""
    seen: list[float] = []
    done = await load(http, 16, MEMORY_REQUESTS, lambda: seen.append(resident_mb(running.pid)))
    early, late = statistics.mean(seen[200:300]), statistics.mean(seen[900:1000])
    print(f"{len(seen)} requests, {done.errors} errors, {done.wall_s:.0f} s, 16 callers")
    print(f"resident memory, decoders included: {early:.1f} MB over requests 200–300, {late:.1f} MB over 900–1,000")
    print(f"ratio {late / early:.3f}; most {max(seen):.1f} MB")
    return drawn(seen)


async def long(http: httpx.AsyncClient, running: Server) -> None:
    """Ten messages of an idle server, then ten beside a recording of two hours."""
    message = SAMPLES[0].read_bytes()
    for _ in range(MESSAGES):
        await ask(http, message)
    idle = [await ask(http, message) for _ in range(MESSAGES)]
    recording = hours_of_speech()
    print(f"recording: {TWO_HOURS_S} s, {len(recording) / 1e6:.0f} MB of Ogg/Opus")
    most_mb = 0.0

    async def watch() -> None:
        nonlocal most_mb
        while True:
            most_mb = max(most_mb, resident_mb(running.pid))
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    before, began = cpu_s(running.pid), time.perf_counter()
    whole = asyncio.create_task(ask(http, recording))
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


def batching(lengths_s: Sequence[int]) -> None:
    """Processor time of a piece in calls of one, four and eight pieces of a length."""
    settings = Settings()
    engine = load_engine(settings.model, models_dir=settings.models_dir)
    speech = np.tile(np.concatenate([decoded(path) for path in SAMPLES]), 4)
    print(f"{engine.name}: wants {engine.abilities.batch_size} pieces in a call; one thread")
    print("length  " + "".join(f"  cpu ms/piece by {size}" for size in BATCHES))
    for length_s in lengths_s:
        pieces = [speech[start : start + length_s * SAMPLE_RATE_HZ] for start in range(0, 8 * 16_000, 16_000)]
        costs: dict[int, list[float]] = {size: [] for size in BATCHES}
        for _ in range(3):  # in turns, so that whatever else runs harms all alike
            for size in BATCHES:
                began = time.process_time()
                for first in range(0, len(pieces), size):
                    engine.recognise(pieces[first : first + size])
                costs[size].append((time.process_time() - began) / len(pieces))
        print(f"{length_s:4d} s  " + "".join(f"{1000 * min(costs[size]):19.0f}" for size in BATCHES))


async def within(work: Awaitable[float], longest_s: float) -> None:
    """Wait for the recording, but not for ever."""
    try:
        await asyncio.wait_for(work, longest_s)
    except TimeoutError:
        print(f"given up after {longest_s:.0f} s more")


def decoded(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The samples of a file."""
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))


def hours_of_speech() -> bytes:
    """Two hours of the sample messages as Ogg/Opus; encoded once and repeated packet by packet."""
    samples = np.concatenate([decoded(path) for path in SAMPLES])
    buffer = BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 24_000
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        packets = [
            bytes(packet)
            for part in [*av.AudioResampler("s16", "mono", 48_000).resample(frame), None]
            for packet in stream.encode(part)
        ]
        step = stream.codec_context.frame_size
        for number in range(TWO_HOURS_S * 48_000 // step):
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = stream, Fraction(1, 48_000)
            packet.pts = packet.dts = number * step
            packet.duration = step
            container.mux(packet)
    return buffer.getvalue()


def drawn(values: Sequence[float]) -> str:
    """A line over requests as SVG: memory in MB from zero upwards."""
    width, height, left, below = 720, 240, 50, 30
    top = max(values) * 1.15
    points = " ".join(
        f"{left + index * (width - left) / len(values):.1f},{height - value / top * height:.1f}"
        for index, value in enumerate(values)
    )
    marks = "".join(
        f'<line x1="{left}" x2="{width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{mb:.0f}</text>'
        for mb, y in ((share * top, height - share * height) for share in (0, 0.25, 0.5, 0.75))
    )
    requests = "".join(
        f'<text x="{left + share * (width - left):.0f}" y="{height + 18}" text-anchor="middle">'
        f"{round(share * len(values)):,}</text>"
        for share in (0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 20} {height + below}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{marks}{requests}'
        f'<text x="{left + 6}" y="14">MB resident, by request</text>'
        f'<polyline points="{points}" fill="none" stroke="#1a6" stroke-width="1.5"/></svg>\n'
    )


async def main(what: str, *rest: str) -> None:
    """Measure one thing and print it."""
    with server() as running:
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=600) as http:
            model = (await http.get("/health")).json()["model"]
            load_before = os.getloadavg()[0]
            print(f"{model}, {CORES} cores, load {load_before:.1f}, {time.strftime('%Y-%m-%d')}")
            match what:
                case "callers":
                    await callers(http, running)
                case "memory":
                    picture = await memory(http, running)
                    for place in rest:
                        await asyncio.to_thread(Path(place).write_text, picture, encoding="utf-8")
                case "long":
                    await long(http, running)
                case _:
                    raise SystemExit(__doc__)


if __name__ == "__main__":
    if sys.argv[1:2] == ["batching"]:
        batching([int(length) for length in sys.argv[2:]] or [4, 8, 15])
    else:
        asyncio.run(main(*(sys.argv[1:] or ["callers"])))
