"""Start processes of `glas` without a new interpreter: a process that has imported everything is forked."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
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
        is_quick: have clocks that do not make a test wait, and a gate that hears a tenth of the sounds without speech.
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

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._turn = threading.Lock()

    def fork(self, order: Order) -> Fork:
        """Start the process of an order."""
        return Fork(self.ask(asdict(order)), self)

    def ask(self, what: dict[str, Any]) -> Any:
        """Send a line, and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@contextmanager
def open_zygote() -> Iterator[Zygote]:
    """Start the process that forks; the forked processes end with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.system.zygote"],
        cwd=ROOT,
        # A pool of threads would not survive a fork; the command line takes its language when it is imported.
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OPENBLAS_NUM_THREADS": "1", "GLAS_LANGUAGE": "ru"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Zygote(process)
    finally:
        process.communicate(timeout=10)
