"""Start processes of `glas` without a new interpreter: a process that has imported everything is forked."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.system.worker import SOCKET as WORKERS

ROOT = Path(__file__).parents[2]
SHARED = "ZYGOTE_OF_ALL_WORKERS"
"""Names the socket of the process that all workers of pytest-xdist share, if there is one."""
_LOOK_S = 0.02


@dataclass(frozen=True)
class Order:
    """A process that will be forked.

    Attributes:
        arguments: of `glas`; of a naive bot its token, Telegram's address and that of a recogniser.
        environment: all variables.
        directory: where it starts.
        out: its standard output is appended to this file.
        err: the same of its standard error.
        die_at: a point at which it kills itself.
        is_naive: be a naive bot in place of `glas`.
        namespaces: of a machine of `namespaces`, where it lives.
        is_quick: have clocks that do not make a test wait, and a gate that hears a tenth of the sounds without speech
            and compares the speed on two recordings.
    """

    arguments: list[str]
    environment: Mapping[str, str]
    directory: str
    out: str
    err: str
    die_at: str | None = None
    is_naive: bool = False
    namespaces: str | None = None
    is_quick: bool = False


class Fork:
    """A process that the zygote has forked.

    Attributes:
        pid: its id.
        returncode: its exit code, as `subprocess` gives it; None until somebody has seen that it has ended.
    """

    def __init__(self, pid: int, zygote: "Zygote") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._zygote = zygote

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        if self.returncode is None:
            self.returncode = self._zygote.ask({"ended": self.pid})
        return self.returncode

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process, at most so many seconds; return its exit code."""
        began_s = time.monotonic()
        while (code := self.poll()) is None:
            assert timeout is None or time.monotonic() - began_s < timeout, f"process {self.pid} does not end"
            time.sleep(_LOOK_S)
        return code

    def _signal(self, number: int) -> None:
        # Until the zygote has been asked for its end, nobody else can have its id.
        if self.poll() is None:
            os.kill(self.pid, number)


class Zygote:
    """Forks processes that have imported everything; see `tests.system.zygote`."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines
        self._turn = threading.Lock()

    def fork(self, order: Order) -> Fork:
        """Start the process of an order."""
        return Fork(self.ask(asdict(order)), self)

    def ask(self, what: dict[str, Any]) -> Any:
        """Send a line, and return the answer."""
        with self._turn:
            self._lines.write(json.dumps(what) + "\n")
            self._lines.flush()
            return json.loads(self._lines.readline())


@contextmanager
def connected_zygote() -> Iterator[Zygote]:
    """Connect to the process that forks: the one that all workers share, or one that is started for this process.

    The processes that were forked for this process end with the connection.
    """
    with ExitStack() as stack:
        place = os.environ.get(SHARED) or stack.enter_context(started_zygote())[SHARED]
        connection = stack.enter_context(socket.socket(socket.AF_UNIX))
        connection.connect(place)
        yield Zygote(stack.enter_context(connection.makefile("rw", encoding="utf-8")))


@contextmanager
def started_zygote(*, has_workers: bool = False) -> Iterator[dict[str, str]]:
    """Start the process that forks; yield variables with the paths of its sockets, which accept connections at once.

    With `has_workers`, the workers of pytest-xdist are forked, too.
    """
    with tempfile.TemporaryDirectory(prefix="glas-zygote-") as directory, ExitStack() as stack:
        places = {name: f"{directory}/{name.lower()}" for name in (SHARED, *([WORKERS] if has_workers else []))}
        listeners = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in places]
        for listener, place in zip(listeners, places.values(), strict=True):
            listener.bind(place)
            listener.listen()
        numbers = [listener.fileno() for listener in listeners]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.preloaded", *map(str, numbers)],
            cwd=ROOT,
            # A pool of threads would not survive a fork; the command line takes its language when it is imported.
            env=os.environ
            | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OPENBLAS_NUM_THREADS": "1", "GLAS_LANGUAGE": "ru"},
            stdin=subprocess.DEVNULL,
            pass_fds=numbers,
        )
        try:
            yield places
        finally:
            process.terminate()
            process.wait(10)
