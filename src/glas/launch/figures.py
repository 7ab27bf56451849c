"""Return the metrics of all parts of a process at one address, which is necessary if only one part has a port."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import structlog
from fastapi import FastAPI

_NEIGHBOURS = ("db_assist", "data_loader")

_log = structlog.stdlib.get_logger("glas.launch")


def share(apps: Mapping[str, FastAPI], more: Sequence[Callable[[], Awaitable[bytes]]]) -> None:
    """Add the metrics of the other parts of this process to the answer of nn_service's `/metrics`.

    Args:
        apps: the apps of the services in this process. If nn_service is not among them, nothing is done.
        more: functions that return the metrics of parts that have no app.
    """
    recogniser = apps.get("nn_service")
    if recogniser is None:
        return
    found = [apps[part].state.figures for part in _NEIGHBOURS if part in apps]
    recogniser.state.neighbours = tuple(partial(_unless_ill, one) for one in (*found, *more))


async def _unless_ill(figures: Callable[[], Awaitable[bytes]]) -> bytes:
    """Return the metrics of a part.

    If the part fails, return no metrics, so that the metrics of other parts can still be read.
    """
    try:
        return await figures()
    except Exception as error:  # noqa: BLE001 - see above
        _log.warning("the metrics of a part are not available", error=type(error).__name__)
        return b""
