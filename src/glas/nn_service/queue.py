"""A bounded queue in front of worker threads: inference never blocks the event loop, and overload is said at once."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from glas.domain.errors import OverloadedError

T = TypeVar("T")

_SMOOTHING = 0.2  # weight of the newest job in the running mean of job seconds


class RecognitionQueue:
    """Runs jobs in `workers` threads; at most `waiting_limit` more may wait."""

    def __init__(self, *, workers: int, waiting_limit: int) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="recognise")
        self._workers = workers
        self._limit = workers + waiting_limit
        self._lock = threading.Lock()
        self._in_flight = 0
        self._mean_job_s = 1.0

    @property
    def in_flight(self) -> int:
        """Jobs that run or wait."""
        return self._in_flight

    def submit(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """Queue a job from within the event loop.

        Raises:
            OverloadedError: the queue is full; `retry_after_s` is the time in which a place should be free.
        """
        with self._lock:
            if self._in_flight >= self._limit:
                wait_s = max(1.0, self._mean_job_s * (self._in_flight - self._workers + 1) / self._workers)
                raise OverloadedError(
                    f"{self._in_flight} recordings are being recognised or wait, and {self._limit} is the limit; "
                    f"try again in {wait_s:.0f} s",
                    retry_after_s=wait_s,
                )
            self._in_flight += 1
        # The request's id must follow the job into its thread.
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, self._timed, job)
        # Also called when the caller goes away before the job began.
        future.add_done_callback(self._release)
        return asyncio.wrap_future(future)

    def _timed(self, job: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return job()
        finally:
            with self._lock:
                self._mean_job_s += _SMOOTHING * (time.monotonic() - began - self._mean_job_s)

    def _release(self, _future: Future[T]) -> None:
        with self._lock:
            self._in_flight -= 1

    def close(self) -> None:
        """Finish what runs and waits, then stop the threads."""
        self._executor.shutdown(wait=True)
