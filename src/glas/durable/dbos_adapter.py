"""ADAPTER: the only module that uses private names of DBOS. `pyproject.toml` bounds its version; tests check each use.

What it is for, and what the public interface costs (DBOS 3.4, PostgreSQL, `benchmarks/durable.py`, works of 8 steps):

- `FirstRuns`: 16 ms of processor time for each work in place of 21 to 24. DBOS has no setting for it.
- `QueueWaits`: 45 to 50 works a second in place of 43 to 45, though idle queues are looked at 5 times a second in place
  of 12. The public way is to look often.
- `put_back`: gives the work of a process that died to a living one. The public `resume_workflows` would take it out of
  its queue, so that a person's messages lose their order, and it does not compare the owner, so that two processes
  could both begin it.
- `running`: the tasks that must end before DBOS is closed. `DBOS.destroy` waits in whole seconds, even for nothing.
"""

import threading
from asyncio import Task
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, _dbos
from dbos._utils import INTERNAL_QUEUE_NAME

_QUEUE_THREAD = "queue-worker-"
# Work that comes in a rush is claimed together, not one look for each.
_SHORTEST_WAIT_S = 0.08


class FirstRuns:
    """Leaves out the search for the record of a step, where the work has no records.

    A claim counts the runs of the work, and one query for all work that was claimed together tells whether anything of
    it is recorded. Only work that is run for the first time and has no record is not searched. Counting alone would
    not do: resuming a workflow sets its count back, and a fork begins with records.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def watch(self, dbos: DBOS) -> None:
        """Begin, before anything is claimed."""
        database = dbos._sys_db
        statuses, check = database.get_workflow_statuses, database.check_operation_execution
        records = database.tables.operation_outputs.c.workflow_uuid

        def recorded(ids: set[str]) -> set[str]:
            if not ids:
                return set()
            with database.engine.begin() as connection:
                return set(connection.execute(sa.select(records).where(records.in_(ids)).distinct()).scalars())

        def noting(ids: list[str], *arguments: Any, **options: Any) -> Any:
            found = statuses(ids, *arguments, **options)
            once = {one["workflow_uuid"] for one in found if one["recovery_attempts"] == 1}
            self._ids.difference_update(one["workflow_uuid"] for one in found)
            self._ids.update(once - recorded(once))
            return found

        def unless_first(workflow_id: str, *arguments: Any, **options: Any) -> Any:
            return None if workflow_id in self._ids else check(workflow_id, *arguments, **options)

        database.get_workflow_statuses = noting  # type: ignore[method-assign, assignment]
        database.check_operation_execution = unless_first  # type: ignore[method-assign]

    def ended(self, workflow_id: str | None) -> None:
        """Search for the records of later runs of this work."""
        self._ids.discard(workflow_id or "")


class QueueWaits:
    """Wakes the threads that look at queues; without a call they look as often as their queue says."""

    def __init__(self) -> None:
        self._woken: dict[str, threading.Event] = {}

    def wake(self, queue: str) -> None:
        """Have `queue` looked at now: there is something to do in it, or room to do it."""
        self._woken.setdefault(queue, threading.Event()).set()

    def wake_all(self) -> None:
        """Have every thread look up, to end."""
        for woken in list(self._woken.values()):
            woken.set()

    def launch(self, first_runs: FirstRuns) -> None:
        """Call `DBOS.launch` so that its threads can be woken and first runs are known."""
        begin = _dbos.queue_thread  # type: ignore[attr-defined]

        def begin_watched(stop_event: threading.Event, dbos: DBOS) -> None:
            first_runs.watch(dbos)
            begin(_Wait(stop_event, self._woken), dbos)

        _dbos.queue_thread = begin_watched  # type: ignore[attr-defined]
        try:
            DBOS.launch()
        finally:
            _dbos.queue_thread = begin  # type: ignore[attr-defined]


class _Wait(threading.Event):
    """Stands for the event with which DBOS ends these threads; waiting for it also ends when the queue is woken."""

    def __init__(self, stop: threading.Event, woken: dict[str, threading.Event]) -> None:
        super().__init__()
        self._stop = stop
        self._woken = woken

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        name = threading.current_thread().name
        if timeout is None or timeout <= _SHORTEST_WAIT_S or not name.startswith(_QUEUE_THREAD):
            return self._stop.wait(timeout)
        woken = self._woken.setdefault(name.removeprefix(_QUEUE_THREAD), threading.Event())
        if not self._stop.wait(_SHORTEST_WAIT_S):
            woken.wait(timeout - _SHORTEST_WAIT_S)
            woken.clear()
        return self._stop.is_set()


def put_back(dbos: DBOS, workflow_ids: Iterable[str], *, owner: str) -> None:
    """Put claimed work back into its queue. Blocks.

    A second call for the same work changes nothing: the row is changed only while `owner` is the slot that claimed it.
    """
    for workflow_id in workflow_ids:
        dbos._sys_db.reenqueue_for_recovery(workflow_id, [owner], INTERNAL_QUEUE_NAME)


def running(dbos: DBOS) -> set[Task[Any]]:
    """The tasks of all work that this process has begun and not ended."""
    return set(dbos._workflow_tasks)


def join_queue_threads() -> None:
    """Wait for the threads that look at queues, which were told to end. Blocks."""
    for thread in threading.enumerate():
        if thread.name.startswith(_QUEUE_THREAD):
            thread.join(timeout=10)
