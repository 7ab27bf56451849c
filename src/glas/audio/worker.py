"""Start a decoder process, send a file to it and receive its answers, each within a time limit.

The decoder process that is started is a warden, which forks one decoder for every file; see
`glas.audio.decoder_process`.
"""

import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import glas
from glas.audio.limits import DecodeLimits
from glas.audio.wire import EXIT_REPORT, FRAME, MAX_BODY_BYTES, READY, READY_UNFILTERED, REQUEST, ExitReport
from glas.domain.errors import DecodeLimitError

# With -I, Python ignores the environment and the working directory, so the module path is passed as an argument.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; "
    "from glas.audio.decoder_process import main; main(sys.argv[1:])"
)
# A BLAS that starts a thread per core would make forks unsafe, and nothing here multiplies matrices.
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


_START_S = 60


class WorkerEndedError(Exception):
    """The warden process has ended, because another process killed it or because it could not start."""


class TimeBudget:
    """Time limit for the sum of all waits for a decoder."""

    def __init__(self, total_s: float) -> None:
        self.total_s = total_s
        self.left_s = total_s

    def wait(self, poll: select.poll) -> list[tuple[int, int]]:
        """Wait until one of the descriptors of `poll` is ready, and return the ready descriptors with their events.

        The time of the wait is subtracted from the time that is left.

        Raises:
            DecodeLimitError: no descriptor became ready in the time that was left.
        """
        started_s = time.monotonic()
        ready = poll.poll(max(self.left_s, 0) * 1000)
        self.left_s -= time.monotonic() - started_s
        if not ready:
            raise DecodeLimitError(f"The decoding took longer than {self.total_s:g} s")
        return ready


class DecoderWorker:
    """One warden process, and the three pipes of `glas.audio.wire`. Only one thread at a time may use this object.

    Attributes:
        is_filtered: whether the system calls of the decoders are filtered.

    Raises:
        WorkerEndedError: the process did not start.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._exit_reports, exit_reports_end = os.pipe()
        task = {"path": _module_path(), "limits": dataclasses.asdict(limits), "exit_reports": exit_reports_end}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, without text from outside
                [sys.executable, "-I", "-c", _PROGRAM, json.dumps(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(exit_reports_end,),
                env=_ENVIRONMENT,
                cwd="/",
                bufsize=0,
                # A group of its own, so that warden and decoder are killed together.
                start_new_session=True,
            )
        except BaseException:
            os.close(self._exit_reports)
            raise
        finally:
            os.close(exit_reports_end)
        self._requests, self._answers = _descriptor(self._process.stdin), _descriptor(self._process.stdout)
        for descriptor in (self._requests, self._answers, self._exit_reports):
            os.set_blocking(descriptor, False)
        self._life = threading.Lock()
        self._is_over = False
        self._await_start()

    def _await_start(self) -> None:
        """Wait until the warden is ready, so that the time for loading PyAV is not counted for any file."""
        poll = select.poll()
        poll.register(self._exit_reports, select.POLLIN)
        word = os.read(self._exit_reports, len(READY)) if poll.poll(_START_S * 1000) else b""
        if word not in (READY, READY_UNFILTERED):
            self.kill()
            raise WorkerEndedError
        self.is_filtered = word == READY

    @property
    def pid(self) -> int:
        """Process id of the warden."""
        return self._process.pid

    def send(self, data: bytes | memoryview, patience: TimeBudget) -> ExitReport | None:
        """Send a file to the decoder.

        Returns:
            None if the whole file was sent. If the decoder ended before that, its exit report.

        Raises:
            WorkerEndedError: the warden has ended.
            DecodeLimitError: the time of `patience` is used up.
        """
        poll = select.poll()
        poll.register(self._requests, select.POLLOUT)
        poll.register(self._exit_reports, select.POLLIN)
        for part in (REQUEST.pack(len(data)), data):
            rest = memoryview(part).cast("B")
            while rest:
                ready = patience.wait(poll)
                if any(descriptor == self._exit_reports for descriptor, _ in ready):
                    return self.exit_report(patience)
                try:
                    rest = rest[os.write(self._requests, rest) :]
                except BrokenPipeError as error:
                    raise WorkerEndedError from error
        return None

    def receive(self, patience: TimeBudget) -> tuple[bytes, bytes] | ExitReport:
        """Return the next frame of the answer as `(kind, body)`.

        If the decoder ended without sending another frame, return its exit report instead.

        Raises:
            WorkerEndedError: the warden has ended, or an answer is malformed.
            DecodeLimitError: the time of `patience` is used up.
        """
        header = self._read_answer(FRAME.size, patience)
        if header is not None:
            kind, length = FRAME.unpack(header)
            # A decoder that a malicious file controls may announce any length; do not allocate that much memory.
            if length > MAX_BODY_BYTES:
                raise WorkerEndedError
            body = self._read_answer(length, patience)
            if body is not None:
                return kind, body
        return self.exit_report(patience)

    def exit_report(self, patience: TimeBudget) -> ExitReport:
        """Wait until the decoder has ended, and return its exit report.

        Raises:
            WorkerEndedError: the warden has ended.
            DecodeLimitError: the time of `patience` is used up.
        """
        poll = select.poll()
        poll.register(self._exit_reports, select.POLLIN)
        patience.wait(poll)
        body = os.read(self._exit_reports, EXIT_REPORT.size)  # shorter than PIPE_BUF, so it arrives completely
        if len(body) < EXIT_REPORT.size:
            raise WorkerEndedError
        return ExitReport.unpacked(body)

    def is_silent(self) -> bool:
        """Return whether the answer pipe is empty.

        Bytes that are left in this pipe would be read as the answer for the next file.
        """
        try:
            os.read(self._answers, 1)
        except BlockingIOError:
            return True
        return False

    def stop(self) -> None:
        """Kill the warden and the decoder.

        Any thread may call this. A thread that reads from these processes then sees the end of the pipe.
        """
        with self._life:
            if not self._is_over:
                # The process was not waited for yet, so its number still belongs to this process group.
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """Kill the warden and the decoder, and close the pipes.

        Only the thread that uses the pipes may call this. A second call does nothing.
        """
        self.stop()
        with self._life:
            if self._is_over:
                return
            self._is_over = True
            self._process.wait()
        os.close(self._exit_reports)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read_answer(self, count: int, patience: TimeBudget) -> bytes | None:
        """Read exactly `count` bytes of the answer; return None if the decoder ended before it had sent them."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        poll.register(self._exit_reports, select.POLLIN)
        pieces = bytearray()
        while len(pieces) < count:
            patience.wait(poll)
            try:
                # Read the answer even if `poll` returned only the exit report: the answer may have arrived after `poll`
                # examined its pipe.
                piece = os.read(self._answers, count - len(pieces))
            except BlockingIOError:
                return None
            if not piece:
                raise WorkerEndedError
            pieces += piece
        return bytes(pieces)


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise WorkerEndedError
    return pipe.fileno()


def _module_path() -> list[str]:
    """Return the directories from which the owner imports modules (`sys.path`); the directory of `glas` comes first.

    Relative entries are left out, because the child has another working directory.
    """
    home = str(Path(glas.__file__).resolve().parent.parent)
    return [home, *(entry for entry in sys.path if Path(entry).is_absolute() and entry != home)]
