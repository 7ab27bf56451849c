"""Decode untrusted files in child processes that have no rights except those that decoding needs.

    pool = DecoderPool(workers=2, limits=DecodeLimits())
    with pool.open(data) as recording:
        for block in recording:      # decoding continues while the block is recognised, until the pipe is full
            ...

FFmpeg is a million lines of C, and it reads untrusted files. If a malicious file crashes its decoder process, or runs
its own code in the process, no other process is affected. A decoder process has access only to the file that it
decodes: not to the network, and not to a recording of another person. After a decoder process has crashed, the pool
starts another one.
"""

import queue
import signal
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Self

import numpy as np
import structlog

from glas.audio.limits import DecodeLimits
from glas.audio.wire import END, ERROR, SAMPLES, ExitReport, read_error
from glas.audio.worker import DecoderWorker, TimeBudget, WorkerEndedError
from glas.domain.error_bodies import from_code
from glas.domain.errors import (
    AudioError,
    AudioTooLongError,
    ConfigurationError,
    CorruptAudioError,
    DecodeLimitError,
    EmptyAudioError,
    GlasError,
    OverloadedError,
    ServiceFaultError,
)
from glas.domain.samples import SAMPLE_RATE_HZ, Samples

_BUSY_RETRY_S = 2.0

_log = structlog.stdlib.get_logger("glas.audio")


class DecoderPool:
    """Pool of decoder processes, which start when they are needed. Every method may be called from any thread.

    Args:
        workers: how many files may be decoded at the same time.
        limits: limits of duration, memory and time for one file.
    """

    def __init__(self, workers: int, limits: DecodeLimits) -> None:
        if workers < 1:
            raise ConfigurationError(f"Expected at least 1 decoder process, got {workers}")
        if find_spec("av") is None:
            raise ConfigurationError("Decoding needs PyAV; install glas-asr[asr]")
        self.limits = limits
        self._places = threading.BoundedSemaphore(workers)
        self._idle: queue.LifoQueue[DecoderWorker] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._alive: set[DecoderWorker] = set()
        self._is_closed = False
        self._is_told_unfiltered = False

    def open(self, data: bytes | memoryview, *, wait_s: float | None = None) -> "Recording":
        """Start to decode a file.

        Args:
            data: the bytes of the whole file.
            wait_s: largest number of seconds to wait while all processes are busy; None means no limit.

        Returns:
            The recording, which the caller must close, preferably by a `with` statement. The recording occupies one
            process until the recording is closed or completely decoded.

        Raises:
            EmptyAudioError: there are no bytes.
            OverloadedError: all processes were busy for `wait_s` seconds.
            AudioError: the decoder process ended before it had read the whole file.
        """
        if not len(data):
            raise EmptyAudioError("The file is empty: 0 bytes")
        if not self._places.acquire(timeout=wait_s):
            raise OverloadedError("All decoders are busy", retry_after_s=_BUSY_RETRY_S)
        try:
            return self._begin(data)
        except BaseException:
            self._places.release()
            raise

    def start(self) -> None:
        """Start one process in advance, because a start takes some tenths of a second."""
        if self._idle.empty():
            self._idle.put(self._new_worker())

    def close(self) -> None:
        """End all processes.

        A recording that is being decoded raises `ServiceFaultError`. The caller must still close this recording.
        """
        with self._lock:
            self._is_closed = True
            workers = list(self._alive)
        for worker in workers:
            # The pipes stay open: another thread may be reading one, and a new file could get the same descriptor.
            worker.stop()
        with suppress(queue.Empty):
            while True:
                self._discard(self._idle.get_nowait())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _begin(self, data: bytes | memoryview) -> "Recording":
        patience = TimeBudget(self.limits.wall_s)
        while True:
            worker, is_new = self._idle_worker()
            try:
                exit_report = worker.send(data, patience)
            except WorkerEndedError as error:
                self._discard(worker)
                if is_new:
                    raise ServiceFaultError("A decoder process was killed") from error
                continue  # it was killed while it was idle; this file is not the cause
            except BaseException:
                self._discard(worker)
                raise
            if exit_report is not None:
                self._discard(worker)
                raise _cause_of_death(exit_report, self.limits)
            return Recording(self, worker, patience)

    def _idle_worker(self) -> tuple[DecoderWorker, bool]:
        try:
            return self._idle.get_nowait(), False
        except queue.Empty:
            return self._new_worker(), True

    def _new_worker(self) -> DecoderWorker:
        try:
            worker = DecoderWorker(self.limits)
        except WorkerEndedError as error:
            raise ServiceFaultError(
                "A decoder process could not start; its standard error contains the reason"
            ) from error
        with self._lock:
            if not worker.is_filtered and not self._is_told_unfiltered:
                self._is_told_unfiltered = True
                _log.warning(
                    "this system offers no filter of system calls: decoders can still delete files by name, start "
                    "programs and send signals; all other limits hold"
                )
            if not self._is_closed:
                self._alive.add(worker)
                return worker
        worker.kill()
        raise ServiceFaultError("The decoders are closed")

    def _discard(self, worker: DecoderWorker) -> None:
        with self._lock:
            self._alive.discard(worker)
        worker.kill()

    def _take_back(self, worker: DecoderWorker, *, is_clean: bool) -> None:
        """Return the process of a recording to the pool.

        If the process may still contain data of the recording (`is_clean` is False), end the process instead.
        """
        with self._lock:
            is_reusable = is_clean and not self._is_closed and worker.is_silent()
            if is_reusable:
                self._idle.put(worker)
        if not is_reusable:
            self._discard(worker)
        self._places.release()


class Recording:
    """The samples of one file, which are decoded block by block. Only one thread at a time may use this object.

    Attributes:
        n_samples: number of samples yielded so far, at 16 kHz.
        exit_report: exit code, memory and processor time of the decoder process; None until this process has ended.
    """

    def __init__(self, pool: DecoderPool, worker: DecoderWorker, patience: TimeBudget) -> None:
        self.n_samples = 0
        self.exit_report: ExitReport | None = None
        self._pool = pool
        self._worker: DecoderWorker | None = worker
        self._patience = patience
        self._most_samples = int(pool.limits.max_duration_s * SAMPLE_RATE_HZ)

    @property
    def duration_s(self) -> float:
        """Seconds of sound yielded so far; after the last block, the duration of the recording."""
        return self.n_samples / SAMPLE_RATE_HZ

    def __iter__(self) -> Iterator[Samples]:
        """Yield the blocks of samples that were not yielded yet.

        Raises:
            AudioError: as in `decode.decode_blocks`; also DecodeLimitError and CorruptAudioError if the decoder
                process ended because of the file.
            ServiceFaultError: the decoder failed, and the file is not the cause.
        """
        while (block := self._next()) is not None:
            yield block

    def close(self) -> None:
        """Stop decoding, and return the process to the pool; a second call does nothing."""
        self._release(is_clean=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _next(self) -> Samples | None:
        if self._worker is None:
            return None
        try:
            answer = self._worker.receive(self._patience)
            return self._checked(self._worker, answer)
        except WorkerEndedError as error:
            raise ServiceFaultError("The decoder process was killed") from error
        except BaseException:
            self.close()
            raise

    def _checked(self, worker: DecoderWorker, answer: tuple[bytes, bytes] | ExitReport) -> Samples | None:
        """Return the block of samples in an answer of the decoder, or None if the answer is the end of the recording.

        If the answer is an error, or if the decoder ended without an answer (`ExitReport`), raise the error.
        """
        if isinstance(answer, ExitReport):
            self.exit_report = answer
            raise _cause_of_death(answer, self._pool.limits)
        kind, body = answer
        if kind == SAMPLES:
            return self._counted(np.frombuffer(body, dtype="<f4").astype(np.float32, copy=False))
        self.exit_report = worker.exit_report(self._patience)
        self._release(is_clean=self.exit_report.exit_code == 0)
        if kind == END and struct.unpack("<Q", body) == (self.n_samples,):
            return None
        raise _named_error(*read_error(body)) if kind == ERROR else CorruptAudioError("The decoder gave a wrong answer")

    def _counted(self, block: Samples) -> Samples:
        """Count the samples of a block, and raise `AudioTooLongError` if the recording is longer than permitted.

        The decoder counts the samples, too, but a malicious file may control the decoder.
        """
        self.n_samples += len(block)
        if self.n_samples > self._most_samples:
            raise AudioTooLongError(f"The recording is longer than {self._pool.limits.max_duration_s:g} s")
        return block

    def _release(self, *, is_clean: bool) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._pool._take_back(worker, is_clean=is_clean)  # noqa: SLF001 - a pool and its recordings are one thing


def _named_error(code: str, message: str) -> GlasError:
    """Return the error that a decoder reported if it is an `AudioError`, otherwise a `ServiceFaultError`."""
    error = from_code(code, message)
    return error if isinstance(error, AudioError) else ServiceFaultError(f"The decoder failed: {message}")


def _cause_of_death(exit_report: ExitReport, limits: DecodeLimits) -> GlasError:
    """Return the error for a decoder that ended without sending an answer."""
    code = exit_report.exit_code
    if code == -signal.SIGXCPU:
        return DecodeLimitError(f"Decoding took more than {limits.cpu_s} s of processor time")
    if code == -signal.SIGKILL:
        return DecodeLimitError("Decoding was stopped by the system, as a rule for lack of memory")
    if code < 0:
        return CorruptAudioError(f"The file made its decoder crash ({signal.Signals(-code).name})")
    return ServiceFaultError(f"A decoder process ended with code {code} and no answer")
