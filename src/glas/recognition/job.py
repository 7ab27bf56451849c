"""A job: one recording that is being recognised, and whether its caller still waits for the text."""

import concurrent.futures
import time
from concurrent.futures import Future
from typing import Any, Never, TypeVar

from glas.domain.decoding import PLAIN, DecodingOptions
from glas.domain.errors import GlasError, ServiceTimeoutError

T = TypeVar("T")


class AbandonedError(ServiceTimeoutError):
    """The caller went away; nobody will read the answer."""

    code = "abandoned"


class Job:
    """One recording. A thread of its own takes it through decoding, and workers recognise its pieces.

    Args:
        options: what the caller asks of the engine.
        deadline_s: seconds from now after which nobody wants the text any more; None: whenever it comes.

    Attributes:
        is_long: it has more sound than a message; slots and batcher keep room for messages beside it.
        finish_tag: when, in the batcher's virtual time, the last of its pieces ends.
        engine_s: seconds that engines have worked for it; a batch is shared out by length.
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
        """Seconds of work so far: those of its own thread that it did not spend waiting, and those of engines."""
        return time.monotonic() - self._began - self._waited_s + self.engine_s

    def give_up(self) -> None:
        """The caller has gone: whatever waits for this job's sake wakes up with `AbandonedError`."""
        if not self._given_up.done():
            self._given_up.set_exception(AbandonedError("the caller went away before the end"))

    def check(self) -> None:
        """Raise if going on is of no use.

        Raises:
            AbandonedError: the caller went away.
            ServiceTimeoutError: the deadline has passed.
        """
        if self._given_up.done():
            self._given_up.result()
        if self._deadline_s is not None and time.monotonic() - self._began > self._deadline_s:
            raise ServiceTimeoutError(f"expected a text within {self._deadline_s:g} s, got none in that time")

    def wait(self, future: Future[T]) -> T:
        """The result of `future`, waited for as long as that is of use; a future that is not waited for is cancelled.

        Raises:
            GlasError: what `check` raises, or what the future holds.
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
