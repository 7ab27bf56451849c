"""Find work that this process has claimed but does not run.

Such work exists after the connection to the database was interrupted. If such work were not put back into its queue, it
would delay all further work of the same person until the next start.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from dbos import DBOS

from glas.durable.dbos_adapter import put_back

_log = structlog.stdlib.get_logger("glas.durable")


class Running:
    """The works whose tasks run in this process. A task ends only after the result of its work is stored."""

    def __init__(self) -> None:
        self._ids: dict[asyncio.Task[Any], str] = {}
        self._acting: set[asyncio.Task[Any]] = set()
        self._is_cut_off = False

    def add(self, workflow_id: str | None) -> None:
        """Store that the current task runs this work."""
        task = asyncio.current_task()
        if task is None or workflow_id is None:
            return
        self._ids[task] = workflow_id
        task.add_done_callback(self._forget)

    def ids(self) -> set[str]:
        """Return the ids of all running works."""
        return set(self._ids.values())

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Register the current asyncio task as a task that does the action of a step, such as sending a message.

        The task is registered until the context is closed. `cut_off` interrupts registered tasks.

        Raises:
            asyncio.CancelledError: `cut_off` was called, so other processes may do the same action.
        """
        task = asyncio.current_task()
        if self._is_cut_off or task is None:
            raise asyncio.CancelledError
        self._acting.add(task)
        try:
            yield
        finally:
            self._acting.discard(task)

    def cut_off(self) -> int:
        """Interrupt all steps, and let no step begin until `rejoin` is called; return the number of interrupted steps.

        A step that has finished its action is not interrupted, although its result may not be recorded yet. If another
        process takes over the work before the result is recorded, the database refuses to record the result.
        """
        self._is_cut_off = True
        tasks = [task for task in self._acting if not task.cancelling()]
        for task in tasks:
            task.cancel()
        return len(tasks)

    def rejoin(self) -> None:
        """Permit steps to begin again."""
        self._is_cut_off = False

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._ids.pop(task, None)


class Orphans:
    """Finds work that this process has claimed but does not run, and puts the work back into its queue."""

    def __init__(self, slot: str, running: Running) -> None:
        self._slot = slot
        self._running = running
        self._idle: set[str] = set()

    async def put_back(self, dbos: DBOS, ours: Collection[str]) -> None:
        """Put claimed work back into its queue if it ran neither at the previous call nor at this call.

        Two calls are necessary, because work that was claimed a moment ago may be about to start.

        Args:
            dbos: the running object of DBOS.
            ours: ids of the works that this process has claimed, according to the database.
        """
        idle = set(ours) - self._running.ids()
        again = sorted(idle & self._idle)
        if again:
            # The log shows only the number of works, because the names of works contain ids of people and chats.
            _log.warning("claimed work did not run; it is put back", count=len(again))
            await asyncio.to_thread(put_back, dbos, again, owner=self._slot)
        # Work that was put back is forgotten here, because it may just be starting again at the next call.
        self._idle = idle - set(again)
