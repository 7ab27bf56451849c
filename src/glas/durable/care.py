"""What must happen again and again while the engine runs: beat, take over from the dead, clean up, forget people."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from dbos import DBOS

from glas.durable.members import Members
from glas.durable.orphans import Orphans

_HEARTBEAT_S = 5.0
DEAD_AFTER_S = 30.0
_CLEANING_S = 3600.0
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BATCH = 500

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
    ) -> None:
        """Prepare it; nothing runs before `start`.

        Args:
            dbos: the running engine.
            members: heartbeats and leases.
            slot: of this process.
            keep_s: seconds after which ended work is forgotten.
            note: what this process tells the others with each heartbeat.
            hear: is given the notes of the others then.
        """
        self._dbos = dbos
        self._members = members
        self._slot = slot
        self._keep_s = keep_s
        self._note = note
        self._hear = hear
        self._orphans = Orphans(slot)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; it goes on until `stop`."""
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_clean())]

    async def stop(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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
        if len(ended) == len(found):
            await asyncio.to_thread(self._members.has_forgotten, person, before_s)
        return len(ended)

    async def _keep_alive(self) -> None:
        while True:
            try:
                await self._beat()
            except Exception as error:  # noqa: BLE001 - the database may be away; the next beat tries again
                _log.warning("no heartbeat", error=repr(error))
            await asyncio.sleep(_HEARTBEAT_S)

    async def _beat(self) -> None:
        await asyncio.to_thread(self._members.beat, self._slot, self._note())
        living = await asyncio.to_thread(self._members.living, DEAD_AFTER_S)
        self._hear({slot: note for slot, note in living.items() if slot != self._slot})
        await self._take_over(living)
        for person, before_s in await asyncio.to_thread(self._members.to_forget):
            await self.forget(person, before_s=before_s)

    async def _take_over(self, living: Collection[str]) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        ours = {one.workflow_id for one in pending if one.executor_id == self._slot}
        await asyncio.to_thread(self._orphans.put_back, self._dbos, ours)
        dead = {one.executor_id for one in pending if one.executor_id} - set(living) - {self._slot}
        if dead:
            _log.warning("taking over the work of executors that are gone", executors=sorted(dead))
            # Private, but the only way without DBOS' paid service; a row changes its owner at most once.
            await asyncio.to_thread(DBOS._recover_pending_workflows, sorted(dead))  # noqa: SLF001

    async def _keep_clean(self) -> None:
        """Forget what ended long ago: it holds texts, and nobody asks for it any more."""
        while True:
            try:
                found = await DBOS.list_workflows_async(
                    status=_ENDED,
                    end_time=_iso(time.time() - self._keep_s),
                    load_input=False,
                    load_output=False,
                    limit=10 * _BATCH,
                )
                await _delete([one.workflow_id for one in found])
            except Exception as error:  # noqa: BLE001 - likewise
                _log.warning("old work was not forgotten", error=repr(error))
            await asyncio.sleep(_CLEANING_S)


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
