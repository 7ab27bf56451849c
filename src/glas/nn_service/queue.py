"""The recognition queue: a limited number of recordings, each with a thread.

If the limit is reached, a further recording is refused immediately.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from glas.domain.errors import OverloadedError, ServiceStoppingError
from glas.recognition import Job

T = TypeVar("T")

_SMOOTHING = 0.2  # weight of the newest recording in the running mean of seconds of work


class RecognitionQueue:
    """Accepts at most `workers` + `waiting_limit` recordings at a time, and starts a thread for each of them.

    The queue does not determine the order of the work: the threads wait for slots and for the batcher.

    In addition, one recording of `IdleWork` is accepted, which does not count towards the limit.
    """

    def __init__(self, *, workers: int, waiting_limit: int) -> None:
        self._workers = workers
        self._limit = workers + waiting_limit
        self._executor = ThreadPoolExecutor(self._limit + 1, thread_name_prefix="recording")
        self._lock = threading.Lock()
        self._in_flight = 0
        self._mean_work_s = 1.0
        self._is_closed = False

    @property
    def in_flight(self) -> int:
        """Number of recordings that are being recognised or wait; the recording of `IdleWork` is not counted."""
        return self._in_flight

    def submit(self, job: Job, work: Callable[[], T], *, is_idle_work: bool = False) -> asyncio.Future[T]:
        """Start the work on a recording; this must be called in the thread of the event loop.

        Args:
            job: the job of the recording.
            work: function that recognises the recording.
            is_idle_work: whether the recording comes from `IdleWork`, and so does not count towards the limit.

        Raises:
            OverloadedError: the queue is full. The error's `retry_after_s` is the estimated time in seconds until there
                is a free place in the queue.
            ServiceStoppingError: the queue is closed.
        """
        with self._lock:
            self._require_place(is_idle_work=is_idle_work)
            self._in_flight += not is_idle_work
        # The context contains the id of the request, which the log must also show in the thread of the job.
        context = contextvars.copy_context()
        future = self._executor.submit(context.run, self._measured, job, work)
        # The callback is also called if the caller closes the connection before the job begins.
        if not is_idle_work:
            future.add_done_callback(self._release)
        return asyncio.wrap_future(future)

    def require_place(self) -> None:
        """Raise the error that `submit` would raise now; do nothing if `submit` would accept a recording."""
        with self._lock:
            self._require_place()

    def _require_place(self, *, is_idle_work: bool = False) -> None:
        if self._is_closed:
            raise ServiceStoppingError("the service is stopping")
        if self._in_flight >= self._limit and not is_idle_work:
            wait_s = max(1.0, self._mean_work_s * (self._in_flight - self._workers + 1) / self._workers)
            raise OverloadedError(
                f"{self._in_flight} recordings are being recognised or wait, and {self._limit} is the limit; "
                f"try again in {wait_s:.0f} s",
                retry_after_s=wait_s,
            )

    def _measured(self, job: Job, work: Callable[[], T]) -> T:
        try:
            job.check()
            return work()
        finally:
            with self._lock:
                self._mean_work_s += _SMOOTHING * (job.work_s - self._mean_work_s)

    def _release(self, _future: Future[T]) -> None:
        with self._lock:
            self._in_flight -= 1

    def close(self) -> None:
        """Finish the recognition of all accepted recordings, then stop the threads."""
        with self._lock:
            self._is_closed = True
        self._executor.shutdown(wait=True)
