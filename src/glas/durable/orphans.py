"""Find work that this process has claimed but does not run, because the connection to the database broke.

Without this, such work would delay all further work of its person until the next start.
"""

import asyncio
from collections.abc import Collection
from typing import Any

import structlog
from dbos import DBOS

from glas.durable.dbos_adapter import put_back

_log = structlog.stdlib.get_logger("glas.durable")


class Running:
    """The works whose tasks run in this process. A task ends only after its result is stored."""

    def __init__(self) -> None:
        self._ids: dict[asyncio.Task[Any], str] = {}

    def add(self, workflow_id: str | None) -> None:
        """Note that the current task runs this work."""
        task = asyncio.current_task()
        if task is None or workflow_id is None:
            return
        self._ids[task] = workflow_id
        task.add_done_callback(self._forget)

    def ids(self) -> set[str]:
        """Return the ids of all running works."""
        return set(self._ids.values())

    def interrupt(self) -> int:
        """End all tasks without a record, so that another run can continue these works; return how many there were."""
        tasks = [task for task in self._ids if not task.cancelling()]
        for task in tasks:
            task.cancel()
        return len(tasks)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._ids.pop(task, None)


class Orphans:
    """Finds such work and puts it back into its queue."""

    def __init__(self, slot: str, running: Running) -> None:
        self._slot = slot
        self._running = running
        self._idle: set[str] = set()

    async def put_back(self, dbos: DBOS, ours: Collection[str]) -> None:
        """Put back work that is not running at two calls in a row; after one call it may just be starting.

        Args:
            dbos: the running engine.
            ours: the work that this process has claimed, according to the database.
        """
        idle = set(ours) - self._running.ids()
        again = sorted(idle & self._idle)
        if again:
            # Without their names, which hold numbers of people and chats.
            _log.warning("claimed work did not run; it is put back", count=len(again))
            await asyncio.to_thread(put_back, dbos, again, owner=self._slot)
        # What was put back begins anew: it may just be starting at the next call.
        self._idle = idle - set(again)
