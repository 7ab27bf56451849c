"""`glas run nn_service` in a separate process, and its processor time and memory from /proc."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Server(NamedTuple):
    """A running server."""

    url: str
    pid: int


@contextmanager
def server() -> Iterator[Server]:
    """Run `glas run nn_service` on a free port, with a separate directory."""
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


def children(pid: int) -> list[int]:
    """Return the living processes that a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text(encoding="ascii").split()]


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of its children, living and waited for."""
    return sum(_ticks(one) for one in (pid, *children(pid))) / os.sysconf("SC_CLK_TCK")


def busy_s() -> float:
    """Processor seconds that all programs of this machine have used since it started."""
    total = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()
    user, nice, system, _idle, _waiting, *interrupts = (int(ticks) for ticks in total[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(ticks) for ticks in fields[11:15])


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, 10⁶ bytes."""
    return sum(_resident_pages(one) for one in (pid, *children(pid))) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return 0
