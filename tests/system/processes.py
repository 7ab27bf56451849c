"""Processes that a test starts, stops, kills and starts again; each has a log file."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.system.forking import Order, Zygote

# What a part says when it accepts requests: to people, and in a log that programs read.
_READY = b"Ctrl+C", b"Glas has started"
_START_S, _STOP_S = 120.0, 40.0
_TAIL_CHARS = 4000


class Process(Protocol):
    """The methods of `subprocess.Popen` that tests need."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""

    def kill(self) -> None:
        """SIGKILL."""

    def terminate(self) -> None:
        """SIGTERM."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended."""


@dataclass
class Part:
    """One process.

    Attributes:
        name: names it, and its log.
        command: program and arguments.
        environment: everything that it is told.
        directory: where it starts, and where its log lies.
        check: whether it serves, once it has greeted; without one, its greeting tells.
        is_once: it does its work, ends with 0, and is never stopped.
        greets: it says when it is ready.
        zygote: forks it, if it is `glas`; without one it is a new interpreter.
        is_quick: of its `Order`.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    directory: Path
    check: Callable[[], bool] | None = None
    is_once: bool = False
    greets: bool = True
    zygote: Zygote | None = None
    is_quick: bool = False
    process: Process | None = None

    @property
    def log(self) -> Path:
        """Return the log of all starts of the process."""
        return self.directory / f"{self.name}.log"

    def start(self) -> None:
        """Start the process; `wait` waits until it is ready."""
        if self.zygote is not None and "glas" in self.command:
            self.fork(self.zygote, is_quick=self.is_quick)
            return
        self._said_before = self._n_said()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.directory, stdout=log, stderr=subprocess.STDOUT
            )

    def fork(self, zygote: Zygote, **details: Any) -> None:
        """Start the process without a new interpreter; `details` are further fields of its `Order`."""
        self.log.touch()
        self._said_before = self._n_said()
        arguments = self.command[self.command.index("glas") + 1 :] if "glas" in self.command else self.command
        log = str(self.log)
        self.process = zygote.fork(Order(arguments, self.environment, str(self.directory), log, log, **details))

    def _n_said(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def wait(self) -> None:
        """Wait until it serves, or has done what it does once."""
        deadline = time.monotonic() + _START_S
        while not self._is_ready():
            assert time.monotonic() < deadline, f"{self.name} is not ready:\n{self.tail()}"
            time.sleep(0.1)

    def stop(self) -> int:
        """End the process with SIGTERM; return its exit code."""
        assert self.process is not None
        if not self.is_once:
            self.process.terminate()
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """Return the last lines of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_TAIL_CHARS:] if self.log.exists() else ""

    def _is_ready(self) -> bool:
        assert self.process is not None
        code = self.process.poll()
        if self.is_once:
            assert not code, f"{self.name} ended with {code}:\n{self.tail()}"
            return code == 0
        assert code is None, f"{self.name} ended with {code}:\n{self.tail()}"
        has_greeted = is_ready(self.log.read_bytes()[self._said_before :])
        if self.check is None or (self.greets and not has_greeted):
            return has_greeted
        return self.check()


def is_ready(said: bytes) -> bool:
    """Return whether a part has said, in this piece of its output, that it accepts requests."""
    return any(one in said for one in _READY)
