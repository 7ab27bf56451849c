"""Draw a flame graph of the running server while one caller sends messages of 10 s.

    python benchmarks/profile_request.py [SVG]

The server is `glas run nn_service` with the model that GLAS_MODEL names. py-spy (`pip install py-spy`, which must be
allowed to look into another process) samples the threads of the server and of its decoding child, native functions
included. Waiting threads are left out, except threads that wait for CTranslate2. During such a wait, CTranslate2's own
threads compute, one for each caller, and py-spy does not see into them.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.under_load.callers import ask
from benchmarks.under_load.flame import Stack, flame_graph
from benchmarks.under_load.server import server
from benchmarks.under_load.speech import recording

MESSAGE_S = 10
WARM_UP, MESSAGES = 3, 20
RATE_HZ = 50
# Calls of CTranslate2.
_AT_WORK = re.compile(r"Network\.(?:hear|write|time) ")
# Where threads of ours and of the libraries wait for each other, by the innermost function of Python.
_WAITING = re.compile(
    r"(?:Batcher\._next|Job\.wait|Patience\.wait|Condition\.wait|Event\.wait|_worker|wait|main|run|SimpleQueue\.\w+) "
)
_BLOCKED = re.compile(r"(?:syscall|0x[0-9a-f]+|__\w*futex\w*) \(libc")
# Calls in which a thread waits for another process, or for its turn in Python, whoever makes them.
_ELSEWHERE = re.compile(
    r"(?:pthread_cond_\w+|epoll_\w+|poll|p?select|__?read|read|__?write|write|recv\w*|__?wait4|wait4) \(libc"
)
_OF_PYTHON = re.compile(r"\.pyx?(?::\d+)?\)$")
# Routes and middleware: dozens of calls above each other, in which little happens.
_LIBRARY = re.compile(r"\((?:starlette|fastapi|uvicorn|asyncio|concurrent)/")
_LINE = re.compile(r":\d+\)$")


def stacks(raw: str) -> Iterator[tuple[Stack, int]]:
    """Return the stacks of working threads in py-spy's raw file, and how often each occurs."""
    for line in raw.splitlines():
        frames, _, count = line.rpartition(" ")
        stack = frames.split(";")
        ours = [index for index, frame in enumerate(stack) if _OF_PYTHON.search(frame)]
        if not ours:
            continue
        innermost = stack[ours[-1]]
        if _AT_WORK.match(innermost):
            stack = stack[: ours[-1] + 1]
        elif any(_ELSEWHERE.match(frame) for frame in stack[-2:]) or (
            _BLOCKED.match(stack[-1]) and _WAITING.match(innermost)
        ):
            continue
        yield tuple(_LINE.sub(")", frame) for frame in _shown(stack)), int(count)


def _shown(stack: list[str]) -> Iterator[str]:
    """Python's functions from the first of ours on, and the outermost of what they call natively."""
    begun = False
    stack = [frame for frame in stack if _LIBRARY.search(frame) is None]
    for index, frame in enumerate(stack):
        begun = begun or ("glas/" in frame and "glas/cli" not in frame and "__main__" not in frame)
        is_python = _OF_PYTHON.search(frame) is not None
        if begun and (is_python or (index and _OF_PYTHON.search(stack[index - 1]) is not None)):
            yield re.sub(r"^0x[0-9a-f]+ \((?:.*/)?", "(", frame)
    if not begun:
        yield "asyncio, uvicorn, HTTP"


async def send(url: str, count: int) -> list[float]:
    """Send messages one after another; return the seconds of each."""
    message = await asyncio.to_thread(recording, MESSAGE_S)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=600) as http:
        return [await ask(http, message) for _ in range(count)]


def main(picture: Path | None) -> None:
    """Measure, draw, and print the largest bars."""
    spy = shutil.which("py-spy")
    if spy is None:
        print("py-spy is not on the PATH (pip install py-spy): nothing to measure")
        return
    with server() as running, tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        asyncio.run(send(running.url, WARM_UP))
        command = [spy, "record", "--native", "--idle", "--subprocesses", "--rate", str(RATE_HZ), "--format", "raw"]
        spying = subprocess.Popen(
            [*command, "--output", raw.name, "--duration", "600", "--pid", str(running.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(1)
        times_s = asyncio.run(send(running.url, MESSAGES))
        spying.send_signal(2)
        spying.wait()
        seen: Counter[Stack] = Counter()
        for stack, count in stacks(Path(raw.name).read_text(encoding="utf-8")):
            seen[stack] += count
    per_message = {stack: count / RATE_HZ / MESSAGES for stack, count in seen.items()}
    model = os.environ.get("GLAS_MODEL", "auto").rpartition("/")[2]
    title = f"One message of {MESSAGE_S} s, {model}: {1000 * sum(per_message.values()):.0f} ms of threads at work"
    if picture is not None:
        picture.write_text(flame_graph(per_message, title), encoding="utf-8")
    print(f"{title}; load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    print(f"answered in {1000 * sorted(times_s)[MESSAGES // 2]:.0f} ms at the median, while being sampled")
    shares: Counter[str] = Counter()
    for stack, spent in per_message.items():
        for frame in set(stack):
            shares[frame] += round(1e6 * spent)
    whole = sum(per_message.values()) * 1e6
    for frame, spent in shares.most_common(30):
        print(f"{100 * spent / whole:6.1f} %  {frame}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
