"""What must happen again and again while the engine runs: beat, take over from the dead, clean up, forget people."""

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
_CLEANING_S = 600.0
# Between two batches, so that others can write.
_CLEANING_PAUSE_S = 0.2
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BATCH = 500

_T = TypeVar("_T")

_log = structlog.stdlib.get_logger("glas.durable")


class Care:
    """The care of one running engine."""

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
    ) -> None:
        """Prepare it; nothing runs before `start`.

        Args:
            dbos: the running engine.
            members: heartbeats and leases.
            slot: of this process.
            keep_s: seconds after which ended work is forgotten.
            note: what this process tells the others with each heartbeat.
            hear: is given the notes of the others then.
            running: the work that this process does.
        """
        self._dbos = dbos
        self._members = members
        self._slot = slot
        self._keep_s = keep_s
        self._note = note
        self._hear = hear
        self._orphans = Orphans(slot, running)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; it goes on until `stop`."""
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_clean())]

    async def stop(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def forget(self, person: str, *, before_s: float | None = None) -> int:
        """Delete the ended work of a person that was given before `before_s` (Unix time); returns how many.

        What has not ended, such as the work that asks for this, is deleted soon after it has: until then the person
        stands in a table beside the engine's.
        """
        if before_s is None:
            before_s = time.time()
            await asyncio.to_thread(self._members.remember_to_forget, person, before_s)
        found = await DBOS.list_workflows_async(
            user=person, end_time=_iso(before_s), load_input=False, load_output=False
        )
        ended = [one.workflow_id for one in found if one.status in _ENDED]
        await _delete(ended)
        if len(ended) == len(found) and await asyncio.to_thread(self._members.empty_log):
            await asyncio.to_thread(self._members.has_forgotten, person, before_s)
        return len(ended)

    async def _keep_alive(self) -> None:
        while True:
            living = await _attempt("heartbeat", self._beat())
            if living is not None:
                await _attempt("taking over", self._take_over(living))
            await _attempt("forgetting people", self._forget_people())
            await asyncio.sleep(_HEARTBEAT_S)

    async def _beat(self) -> Mapping[str, str]:
        await asyncio.to_thread(self._members.beat, self._slot, self._note())
        living = await asyncio.to_thread(self._members.living, DEAD_AFTER_S)
        self._hear({slot: note for slot, note in living.items() if slot != self._slot})
        return living

    async def _forget_people(self) -> None:
        for person, before_s in await asyncio.to_thread(self._members.to_forget):
            await self.forget(person, before_s=before_s)

    async def _take_over(self, living: Collection[str]) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        claimed: dict[str, list[str]] = {}
        for one in pending:
            if one.executor_id:
                claimed.setdefault(one.executor_id, []).append(one.workflow_id)
        await self._orphans.put_back(self._dbos, claimed.pop(self._slot, []))
        for dead in sorted(set(claimed) - set(living)):
            _log.warning("taking over the work of an executor that is gone", executor=dead, count=len(claimed[dead]))
            await asyncio.to_thread(put_back, self._dbos, claimed[dead], owner=dead)

    async def _keep_clean(self) -> None:
        while True:
            await _attempt("deleting old work", self._clean())
            await asyncio.sleep(_CLEANING_S)

    async def _clean(self) -> None:
        """Delete all that ended long ago, however much it is: it holds texts, and nobody asks for it any more."""
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
    """Do what will be tried again in any case; None where it failed.

    A database that is away is told in a line. Anything else is a fault of ours: it is logged with its traceback, and
    does not end the care, since a process without a heartbeat would lose its work to others.
    """
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - see above
        if is_away(error):
            _log.warning("the durable engine's database is away", task=task, error=type(error).__name__)
        else:
            _log.exception("care of the durable engine failed", task=task)
    return None


async def end_unknown_runs(workflows: Collection[str]) -> None:
    """Cancel scheduled runs that nobody here can do: their part is not there any more, and the next run catches up."""
    found: Sequence[Any] = await DBOS.list_workflows_async(
        status=["PENDING", "ENQUEUED"], workflow_id_prefix="sched-", load_input=False, load_output=False
    )
    unknown = [one.workflow_id for one in found if one.name not in workflows]
    if unknown:
        _log.info("scheduled runs that no part here does are dropped", runs=unknown)
        await DBOS.cancel_workflows_async(unknown)


async def _delete(ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _BATCH):
        await DBOS.delete_workflows_async(list(ids[start : start + _BATCH]))


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
