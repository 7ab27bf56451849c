"""Run the steps of workflows, and record their results.

If a step returns a value or raises an error of Glas, this result is recorded in the database, and the step is not
repeated after a crash. If the step fails because of a bug, nothing is recorded.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import structlog

from glas import tracing
from glas.domain.error_bodies import from_code
from glas.domain.errors import GlasError, ServiceFaultError
from glas.durable import Durable, Retry, with_retries
from glas.tg_bot.api.errors import RetryRule

# Whether a step of the running workflow has failed because of a bug.
_is_broken: ContextVar[bool] = ContextVar("glas_step_is_broken", default=False)

_log = structlog.stdlib.get_logger("glas.tg_bot")


class _BugError(Exception):
    """A step has raised an exception that is not an error of Glas; the message is the name of the exception's class."""


class Steps:
    """Runs the steps of workflows."""

    def __init__(self, durable: Durable, retry: Retry) -> None:
        self._durable = durable
        self._retry = retry

    async def run(
        self, name: str, work: Callable[[], Awaitable[Any]], *, on_pause: Callable[[], None] | None = None
    ) -> Any:
        """Run `work` as a recorded step, and repeat it after temporary errors.

        The value that `work` returns must be one that JSON can represent.

        If `work` raises an error of Glas, only its code and its message are recorded. When the workflow is repeated, an
        error of the same class is raised. The exception itself is not recorded, because its cause may be an exception
        of a library that contains addresses and keys.

        Any other exception is a bug. It is logged and raised as a `ServiceFaultError`, so that the person gets a
        message. Neither the failed step nor any later step of this run is recorded. So when the workflow is repeated,
        perhaps by a version of Glas without the bug, it continues with the failed step.

        Args:
            name: name of the step.
            work: function that does the work; it is called again after a temporary error.
            on_pause: is called before each pause between two attempts.

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
    """Run `work`; return its value, or the error of Glas that it raises, in a form that JSON can represent."""
    try:
        return {"value": await work()}
    except GlasError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except Exception as error:
        raise _BugError(type(error).__name__) from error
