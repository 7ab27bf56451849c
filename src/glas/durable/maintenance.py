"""Run the background tasks of the durable engine.

These tasks send heartbeats, take over the work of processes that have ended, delete old work, and delete the work of
people who have requested the deletion of their data.

A process without heartbeats counts as dead, although it may only have lost the connection to the database. A process
that cannot store its heartbeats therefore interrupts its own steps before other processes take over its work. Otherwise
two processes could do the same step, such as sending a message. While the database is unavailable, no process can store
heartbeats, although no process has ended. So a process takes over work of others only after it has stored its own
heartbeats without a gap for some time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from dbos import DBOS

from glas.durable.dbos_adapter import put_back
from glas.durable.members import Members
from glas.durable.orphans import Orphans, Running
from glas.durable.place import is_away

_HEARTBEAT_S = 5.0
DEAD_AFTER_S = 30.0
# The steps are interrupted earlier than other processes count this process as dead. In the time between, calls of the
# interrupted steps can still reach their receivers.
_INTERRUPTED_AFTER_S = 20.0
_CLEANING_S = 600.0
# Pause between two batches of deletions, so that other processes can write.
_CLEANING_PAUSE_S = 0.2
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BATCH = 500

_T = TypeVar("_T")

_log = structlog.stdlib.get_logger("glas.durable")


class Maintenance:
    """Runs the background tasks of one durable engine."""

    def __init__(
        self,
        dbos: DBOS,
        members: Members,
        slot: str,
        *,
        keep_s: float,
        note: Callable[[], str],
        hear: Callable[[Mapping[str, str]], object],
        running: Running,
        is_shared: bool,
    ) -> None:
        """Make the object; no task runs before `start`.

        Args:
            dbos: the running object of DBOS.
            members: the object that reads and writes the tables of heartbeats and leases.
            slot: name of this process, which stays the same when the process is started again.
            keep_s: seconds after which ended work is deleted.
            note: returns the note (a short text) that this process stores for the other processes with each heartbeat.
            hear: is called after each heartbeat with a mapping from the slots of the other processes to their notes.
            running: the work that runs in this process.
            is_shared: whether other processes may use the same database and take over the work of this process.
        """
        self._dbos = dbos
        self._members = members
        self._slot = slot
        self._keep_s = keep_s
        self._note = note
        self._hear = hear
        self._running = running
        self._is_shared = is_shared
        self._orphans = Orphans(slot, running)
        # By the monotonic clock: when the last successful heartbeat was sent, and since when all heartbeats have
        # succeeded.
        self._beaten_s = self._steady_since_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the tasks, which run until `stop`."""
        self._beaten_s = self._steady_since_s = time.monotonic()
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_clean())]
        if self._is_shared:
            self._tasks.append(asyncio.create_task(self._interrupt_when_silent()))

    async def stop(self) -> None:
        """Stop the tasks and wait for their end."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def forget(self, person: str, *, before_s: float | None = None) -> int:
        """Delete a person's work that was enqueued before the Unix time `before_s`; None means the present time.

        Work that has ended is deleted immediately. Work that has not ended, such as the work that calls this method, is
        deleted soon after its end. Until then, a table of Glas contains a request for its deletion.

        Returns:
            The number of works that were deleted immediately.
        """
        if before_s is None:
            before_s = time.time()
            await asyncio.to_thread(self._members.request_deletion, person, before_s)
        found = await DBOS.list_workflows_async(
            user=person, end_time=_iso(before_s), load_input=False, load_output=False
        )
        ended = [one.workflow_id for one in found if one.status in _ENDED]
        await _delete(ended)
        if len(ended) == len(found) and await asyncio.to_thread(self._members.empty_log):
            await asyncio.to_thread(self._members.confirm_deletion, person, before_s)
        return len(ended)

    async def _keep_alive(self) -> None:
        while True:
            living = await _attempt("heartbeat", self._beat())
            if living is not None:
                await _attempt("taking over", self._take_over(living))
            await _attempt("forgetting people", self._forget_people())
            await asyncio.sleep(_HEARTBEAT_S)

    async def _beat(self) -> Mapping[str, str]:
        began_s = time.monotonic()
        await asyncio.to_thread(self._members.beat, self._slot, self._note())
        before_s, self._beaten_s = self._beaten_s, began_s
        self._running.rejoin()
        living = await asyncio.to_thread(self._members.living, DEAD_AFTER_S)
        if (answered_s := time.monotonic()) > before_s + _INTERRUPTED_AFTER_S:
            self._steady_since_s = answered_s
        self._hear({slot: note for slot, note in living.items() if slot != self._slot})
        return living

    async def _interrupt_when_silent(self) -> None:
        """Interrupt the running steps if this process could store no heartbeat for `_INTERRUPTED_AFTER_S` seconds.

        `Orphans` puts the work of these steps back into its queue.
        """
        while True:
            await asyncio.sleep(_INTERRUPTED_AFTER_S / 20)
            silent_s = time.monotonic() - self._beaten_s
            if silent_s > _INTERRUPTED_AFTER_S and (count := self._running.cut_off()):
                _log.warning("no heartbeat arrives; work is interrupted", count=count, silent_s=round(silent_s))

    async def _forget_people(self) -> None:
        for person, before_s in await asyncio.to_thread(self._members.pending_deletions):
            await self.forget(person, before_s=before_s)

    async def _take_over(self, living: Collection[str]) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        claimed: dict[str, list[str]] = {}
        for one in pending:
            if one.executor_id:
                claimed.setdefault(one.executor_id, []).append(one.workflow_id)
        await self._orphans.put_back(self._dbos, claimed.pop(self._slot, []))
        if time.monotonic() < self._steady_since_s + DEAD_AFTER_S:
            return  # the other processes may have lost the database at the same time
        for dead in sorted(set(claimed) - set(living)):
            _log.warning("taking over the work of an executor that has ended", executor=dead, count=len(claimed[dead]))
            await asyncio.to_thread(put_back, self._dbos, claimed[dead], owner=dead)

    async def _keep_clean(self) -> None:
        while True:
            await _attempt("deleting old work", self._clean())
            await asyncio.sleep(_CLEANING_S)

    async def _clean(self) -> None:
        """Delete all work that ended more than `keep_s` seconds ago, because it contains people's texts."""
        before: list[str] = []
        while True:
            found = await DBOS.list_workflows_async(
                status=_ENDED,
                end_time=_iso(time.time() - self._keep_s),
                load_input=False,
                load_output=False,
                limit=_BATCH,
            )
            ids = [one.workflow_id for one in found]
            if ids and ids == before:
                raise RuntimeError(f"expected {len(ids)} pieces of old work to be deleted, found them again")
            await _delete(ids)
            if len(ids) < _BATCH:
                return
            before = ids
            await asyncio.sleep(_CLEANING_PAUSE_S)


async def _attempt(task: str, work: Awaitable[_T]) -> _T | None:
    """Return the result of `work`. If it fails, log the error and return None, because the task is repeated anyway.

    If the database is unavailable, one line is logged. Any other error is a bug and is logged with its traceback. An
    error must not end the background tasks: without them, this process would store no heartbeats, and other processes
    would take over its work.
    """
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - see above
        if is_away(error):
            _log.warning("the durable engine's database cannot be reached", task=task, error=type(error).__name__)
        else:
            _log.exception("maintenance of the durable engine failed", task=task)
    return None


async def end_unknown_runs(workflows: Collection[str]) -> None:
    """Cancel scheduled runs of workflows that are not in `workflows`: no part has registered these workflows."""
    found: Sequence[Any] = await DBOS.list_workflows_async(
        status=["PENDING", "ENQUEUED"], workflow_id_prefix="sched-", load_input=False, load_output=False
    )
    unknown = [one.workflow_id for one in found if one.name not in workflows]
    if unknown:
        _log.info("scheduled runs of parts that this process does not run are dropped", runs=unknown)
        await DBOS.cancel_workflows_async(unknown)


async def _delete(ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        await DBOS.delete_workflows_async(list(ids[start : start + _BATCH]))


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
