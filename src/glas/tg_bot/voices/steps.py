"""Recorded steps.

A value, or an error that is a result, is stored and the step is not repeated. A bug is not stored.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import structlog

from glas import tracing
from glas.domain.errors import GlasError, ServiceFaultError, from_code
from glas.durable import Durable, Retry, with_retries
from glas.tg_bot.api.telegram import RetryRule

# Whether a step of the workflow that runs has met a bug.
_is_broken: ContextVar[bool] = ContextVar("glas_step_is_broken", default=False)

_log = structlog.stdlib.get_logger("glas.tg_bot")


class _BugError(Exception):
    """Contains the name of an exception that no step may raise."""


class Steps:
    """Runs the steps of workflows."""

    def __init__(self, durable: Durable, retry: Retry) -> None:
        self._durable = durable
        self._retry = retry

    async def do(
        self, name: str, work: Callable[[], Awaitable[Any]], *, on_pause: Callable[[], None] | None = None
    ) -> Any:
        """Run `work` as a recorded step, and repeat it after temporary errors; its value must be representable in JSON.

        Errors of Glas are recorded by their code, and a repetition raises the same class. Errors are not recorded as
        exceptions, because exceptions of a library may contain addresses and keys.

        Any other exception is a bug. Such an exception is logged and raised as a `ServiceFaultError`, so that the
        person gets a message. Neither the bug nor any later step of this run is recorded. So a repetition, perhaps with
        a release without the bug, begins at the step that failed.

        Args:
            name: name of the step.
            work: is called again after temporary errors.
            on_pause: is called before each wait.

        Raises:
            GlasError: the error of `work`.
        """
        patience = RetryRule()

        def pause_s(error: Exception) -> float | None:
            least_s = patience.pause_s(error)
            if least_s is not None and on_pause is not None:
                on_pause()
            return least_s

        def once() -> Coroutine[Any, Any, dict[str, Any]]:
            return _outcome(lambda: with_retries(work, self._retry, name=name, pause_s=pause_s))

        try:
            with tracing.span("tg_bot", f"step {name}"):
                outcome = await once() if _is_broken.get() else await self._durable.step(name, once)
                if failure := outcome.get("error"):
                    tracing.fail(failure["code"])
        except _BugError as bug:
            # An exception of the engine, such as an unavailable database, is not a bug: the work is resumed later.
            _is_broken.set(True)
            _log.exception("step failed by a bug", step=name)
            raise ServiceFaultError(str(bug)) from bug.__cause__
        if failure is not None:
            raise from_code(failure["code"], failure["message"])
        return outcome["value"]


async def _outcome(work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    """Do `work`; return its value, or the error that is its result, in a form that JSON can represent."""
    try:
        return {"value": await work()}
    except GlasError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except Exception as error:
        raise _BugError(type(error).__name__) from error
