"""Recorded steps: the result or the error of a step is stored, and the step is not repeated."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from glas.domain.errors import GlasError, ServiceFaultError, from_code
from glas.durable import Durable, Retry, with_retries
from glas.tg_bot.api.telegram import Patience

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Steps:
    """Run the steps of workflows."""

    def __init__(self, durable: Durable, retry: Retry) -> None:
        self._durable = durable
        self._retry = retry

    async def do(
        self, name: str, work: Callable[[], Awaitable[Any]], *, on_pause: Callable[[], None] | None = None
    ) -> Any:
        """Run `work`, waiting for the end of temporary errors; its value must be representable in JSON.

        Errors are recorded by their code, not as exceptions: a replay raises the same class, and nothing that an
        exception of a library may quote (addresses, keys) reaches the database.

        Args:
            name: of the step.
            work: is called again after errors that pass.
            on_pause: told before each wait.

        Raises:
            GlasError: what `work` failed with.
        """
        patience = Patience()

        def pause_s(error: Exception) -> float | None:
            least_s = patience.pause_s(error)
            if least_s is not None and on_pause is not None:
                on_pause()
            return least_s

        async def guarded() -> dict[str, Any]:
            try:
                return {"value": await with_retries(work, self._retry, name=name, pause_s=pause_s)}
            except GlasError as error:
                return {"error": {"code": error.code, "message": error.message}}
            except Exception as error:  # noqa: BLE001 - a bug: told to the person and the log, it ends nothing else
                _log.exception("step failed unexpectedly", step=name)
                return {"error": {"code": ServiceFaultError.code, "message": type(error).__name__}}

        outcome = await self._durable.step(name, guarded)
        if failure := outcome.get("error"):
            raise from_code(failure["code"], failure["message"])
        return outcome["value"]
