"""Repeat a step that failed, with growing pauses, until a time limit."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from glas import tracing

_T = TypeVar("_T")
_log = structlog.stdlib.get_logger("glas.durable")
_JITTER = 0.2


@dataclass(frozen=True)
class Retry:
    """The pauses between attempts, and the time limit for all attempts.

    The first pause lasts `first_s` seconds. Each further pause is about twice as long, but at most `longest_s` seconds.
    There is no further attempt if the least pause after an error (see `with_retries`) would end later than `patience_s`
    seconds after the beginning of the first attempt.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    patience_s: float = 3600.0


async def with_retries(
    work: Callable[[], Awaitable[_T]],
    retry: Retry,
    *,
    name: str,
    pause_s: Callable[[Exception], float | None],
) -> _T:
    """Call `work` until it succeeds.

    Args:
        work: the function to call; it is called again after each temporary error.
        retry: the pauses between the calls, and the time limit for all calls.
        name: name of the step in the log.
        pause_s: returns the least number of seconds to wait after an error; None if the error is permanent.

    Raises:
        Exception: `work` raised a permanent error, or raised a temporary error so late that the least pause after it
            would end after the time limit. The error is passed on unchanged.
    """
    deadline, backoff_s = time.monotonic() + retry.patience_s, retry.first_s
    while True:
        try:
            return await work()
        except Exception as error:
            least_s = pause_s(error)
            if least_s is None or time.monotonic() + least_s >= deadline:
                raise
            wait_s = max(least_s, backoff_s * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret
            _log.warning("step failed, will be tried again", step=name, error=repr(error), pause_s=round(wait_s, 2))
            tracing.note("failed, will be tried again", error=type(error).__name__, pause_s=wait_s)
            await asyncio.sleep(wait_s)
            backoff_s = min(backoff_s * 2, retry.longest_s)
