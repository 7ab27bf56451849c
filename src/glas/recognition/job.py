"""A job: the recognition of one recording, with the information whether its caller still waits for the text."""

import concurrent.futures
import time
from concurrent.futures import Future
from typing import Any, Never, TypeVar

from glas.domain.decoding import PLAIN, DecodingOptions
from glas.domain.errors import GlasError, ServiceTimeoutError

T = TypeVar("T")


class AbandonedError(ServiceTimeoutError):
    """The caller has closed the connection, so the recognition was ended."""

    code = "abandoned"


class Job:
    """The recognition of one recording.

    The recording is decoded in the thread of the job, and its pieces are recognised by the workers of the batcher.

    Args:
        options: options of recognition.
        deadline_s: the job is ended this many seconds after this object was made; None means that it is never ended.

    Attributes:
        is_long: whether the recording is longer than `MESSAGE_S` seconds. Such recordings may not use all slots and
            workers, so that short recordings do not wait for them.
        finish_tag: the tag of the piece that was submitted last, plus the duration of this piece, in seconds; see
            `glas.recognition.batcher`.
        engine_s: seconds for which engines worked on the recording. The time of a batch is divided among its pieces in
            proportion to their lengths.
    """

    def __init__(self, options: DecodingOptions = PLAIN, *, deadline_s: float | None = None) -> None:
        self.options = options
        self.is_long = False
        self.finish_tag = 0.0
        self.engine_s = 0.0
        self._began = time.monotonic()
        self._deadline_s = deadline_s
        self._waited_s = 0.0
        self._given_up: Future[Never] = Future()

    @property
    def work_s(self) -> float:
        """Seconds of work on the recording so far: the time of the job's thread without waiting, plus `engine_s`."""
        return time.monotonic() - self._began - self._waited_s + self.engine_s

    def give_up(self, why: GlasError | None = None) -> None:
        """End the job. `check` and `wait` then raise `why`, or `AbandonedError` if `why` is None."""
        if not self._given_up.done():
            self._given_up.set_exception(why or AbandonedError("the caller closed the connection before the end"))

    def check(self) -> None:
        """Raise an error if the job was ended, or if its deadline has passed.

        Raises:
            GlasError: `give_up` has ended the job; the description of `give_up` says which error is raised.
            ServiceTimeoutError: the deadline has passed.
        """
        if self._given_up.done():
            self._given_up.result()
        if self._deadline_s is not None and time.monotonic() - self._began > self._deadline_s:
            raise ServiceTimeoutError(f"expected a text within {self._deadline_s:g} s, got none in that time")

    def wait(self, future: Future[T]) -> T:
        """Wait until a future is done, and return its result.

        If the job is ended or its deadline passes before the future is done, cancel the future and raise an error.

        Raises:
            GlasError: the errors of `check`. If the future ends with an exception, this exception is raised unchanged.
        """
        since = time.monotonic()
        left_s = None if self._deadline_s is None else max(0.0, self._began + self._deadline_s - since)
        try:
            either: tuple[Future[Any], ...] = (future, self._given_up)
            concurrent.futures.wait(either, timeout=left_s, return_when=concurrent.futures.FIRST_COMPLETED)
        finally:
            self._waited_s += time.monotonic() - since
        if not future.done():
            future.cancel()
            self.check()
            raise GlasError("a job stopped waiting without a reason")
        return future.result()


def following(other: Future[None]) -> Future[None]:
    """Return a new future that gets the result of another future.

    Cancelling the new future does not cancel the other one. So several jobs can wait for one future.
    """
    mine: Future[None] = Future()

    def follow(done: Future[None]) -> None:
        if not mine.set_running_or_notify_cancel():
            return
        if (error := done.exception()) is not None:
            mine.set_exception(error)
        else:
            mine.set_result(None)

    other.add_done_callback(follow)
    return mine
