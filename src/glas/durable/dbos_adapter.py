"""ADAPTER: the only module that uses private names of DBOS.

Private names may change in any version of DBOS. So `pyproject.toml` limits the version of DBOS, and tests check each
use of a private name.

The following list contains each use of private names, and the advantage of this use over the public interface. The
times and rates were measured by `benchmarks/durable.py` with DBOS 3.4, PostgreSQL, and works of 8 steps:

- `FirstRuns`: skips queries for records of steps if no such record can exist. A work then takes 16 ms of processor
  time; with the queries, it takes 21 to 24 ms. DBOS has no setting for this.
- `QueueWaits`: polls a queue immediately when work is enqueued. So 45 to 50 works a second are done, although idle
  queues are polled only 5 times a second. With the public interface, only the polling interval can be shortened: with
  12 polls a second, 43 to 45 works a second are done. With SQLite, `QueueWaits` polls idle queues only once in 2 s. An
  idle bot then uses 3 % of a processor core; without `QueueWaits`, it uses 11 %.
- `start_work_in`: makes DBOS start all work in one event loop. DBOS itself starts work in a second loop, in another
  thread, at moments when the first loop is not running (between two calls of `run_until_complete`). Clients, locks and
  tasks belong to the first loop, so such work would fail, and could not be ended with the engine. DBOS has no setting
  for this.
- `put_back`: puts work back into its queue, if a killed process had claimed the work. The public `resume_workflows`
  would take the work out of its queue, so a person's messages would lose their order. `resume_workflows` also does not
  check which process has claimed the work, so two processes could both run the work.
- `running`: returns the tasks that must end before DBOS is closed. The public `DBOS.destroy` sleeps for
  seconds even if no task runs.
"""

import threading
import time
from asyncio import AbstractEventLoop, Task
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, _dbos
from dbos._utils import INTERNAL_QUEUE_NAME

_QUEUE_THREAD = "queue-worker-"
_LONGEST_JOIN_S = 10.0
# Wakes the thread that starts a thread for each stored queue; no queue has this name.
_NEW_QUEUES = ""
# If much work arrives at the same time, it is claimed together, and not one work at each poll.
_SHORTEST_WAIT_S = 0.08
# A queue is idle if for this time nothing was enqueued or running in it. Idle queues are polled less often.
_IDLE_AFTER_S = 1.0
_IDLE_POLL_S = 2.0


class FirstRuns:
    """Makes DBOS skip the query for the record of a step, if no step of the work has been recorded.

    DBOS increases the count of a work's runs when it claims the work (takes the work from a queue for this process). If
    several works are claimed together, one query finds which of them have records. The query for each step is skipped
    only for work that runs for the first time and has no records. The count of runs alone does not show whether there
    are records: resuming a workflow resets its count, and a forked workflow has records from its beginning.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def watch(self, dbos: DBOS) -> None:
        """Replace two methods of DBOS's database object; call this before any work is claimed."""
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
        """Store that a run of a work has ended. In later runs of the same work, the records are queried."""
        self._ids.discard(workflow_id or "")


class QueueWaits:
    """Makes threads poll their queues immediately when work is enqueued, and less often while a queue is idle."""

    def __init__(self, *, is_shared: bool) -> None:
        """Make the object; it has no effect before `launch` is called.

        Args:
            is_shared: whether other processes may enqueue work. If they may, idle queues are polled as often as other
                queues, because other processes cannot wake the threads of this process.
        """
        self._is_shared = is_shared
        self._woken: dict[str, threading.Event] = {}

    def wake(self, queue: str) -> None:
        """Poll `queue` immediately, because work was enqueued."""
        self._woken.setdefault(queue, threading.Event()).set()

    def wake_for_new_queues(self) -> None:
        """Begin to poll queues that this process has just stored.

        Without this call, DBOS looks for new queues only once a second.
        """
        self.wake(_NEW_QUEUES)

    def wake_all(self) -> None:
        """Wake all threads that poll queues, so that they notice that they must end."""
        for woken in list(self._woken.values()):
            woken.set()

    def launch(self, first_runs: FirstRuns) -> None:
        """Start DBOS.

        The threads that DBOS starts wait for an object of the class `_Wait`, so the methods of this class can wake
        these threads.

        Args:
            first_runs: finds out which works have no recorded step. Its method `watch` is called before this process
                takes work from the queues.
        """
        begin = _dbos.queue_thread  # type: ignore[attr-defined]

        def begin_watched(stop_event: threading.Event, dbos: DBOS) -> None:
            first_runs.watch(dbos)
            begin(_Wait(stop_event, self._woken, None if self._is_shared else dbos), dbos)

        _dbos.queue_thread = begin_watched  # type: ignore[attr-defined]
        try:
            DBOS.launch()
        finally:
            _dbos.queue_thread = begin  # type: ignore[attr-defined]


class _Wait(threading.Event):
    """Replaces the event that DBOS sets to end a thread.

    A wait for this event also ends when `QueueWaits.wake` is called for the queue that the waiting thread polls. If
    `dbos` is given, the wait is longer while this queue is idle.
    """

    def __init__(self, stop: threading.Event, woken: dict[str, threading.Event], dbos: DBOS | None) -> None:
        super().__init__()
        self._stop = stop
        self._woken = woken
        self._dbos = dbos
        self._began_s = time.monotonic()
        self._active_s: dict[str, float] = {}

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        name = threading.current_thread().name
        if timeout is None or timeout <= _SHORTEST_WAIT_S:
            return self._stop.wait(timeout)
        queue = name.removeprefix(_QUEUE_THREAD) if name.startswith(_QUEUE_THREAD) else _NEW_QUEUES
        woken = self._woken.setdefault(queue, threading.Event())
        if not self._stop.wait(_SHORTEST_WAIT_S):
            longest_s = max(timeout, _IDLE_POLL_S) if self._is_idle(queue) else timeout
            if woken.wait(longest_s - _SHORTEST_WAIT_S):
                self._active_s[queue] = time.monotonic()
            woken.clear()
        return self._stop.is_set()

    def _is_idle(self, queue: str) -> bool:
        """Return whether a queue has had no work for at least `_IDLE_AFTER_S` seconds.

        A queue whose work has just ended is not idle, because the next work of the same person may still wait.
        """
        if self._dbos is None or queue == _NEW_QUEUES:
            return False
        now_s = time.monotonic()
        if self._dbos._active_workflows_set.count_for_queue(queue):
            self._active_s[queue] = now_s
        return now_s > self._active_s.get(queue, self._began_s) + _IDLE_AFTER_S


def start_work_in(loop: AbstractEventLoop, dbos: DBOS) -> None:
    """Start all work in `loop`; work that DBOS takes from a queue while `loop` is not running waits until it runs."""
    dbos._background_event_loop.target_loop = lambda: loop  # type: ignore[method-assign]


def put_back(dbos: DBOS, workflow_ids: Iterable[str], *, owner: str) -> None:
    """Put works back into their queues, if the process with the slot (name) `owner` has claimed them. This call blocks.

    Works that this process has not claimed are not changed. After a work was put back, no process has claimed it, so a
    repeated call changes nothing.
    """
    for workflow_id in workflow_ids:
        dbos._sys_db.reenqueue_for_recovery(workflow_id, [owner], INTERNAL_QUEUE_NAME)


def running(dbos: DBOS) -> set[Task[Any]]:
    """Return the tasks of all work that runs in this process."""
    return set(dbos._workflow_tasks)


def join_queue_threads() -> None:
    """Wait until the threads that poll queues have ended. This call blocks.

    Before this call, the caller must set the event that stops these threads.
    """
    for thread in threading.enumerate():
        if thread.name.startswith(_QUEUE_THREAD):
            _join(thread)


def _join(thread: threading.Thread) -> None:
    """Wait up to `_LONGEST_JOIN_S` seconds until a thread has ended, even if the thread is only being started.

    `threading.enumerate` also returns threads that are being started, and `Thread.join` refuses to wait for them.
    """
    until_s = time.monotonic() + _LONGEST_JOIN_S
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            thread.join(timeout=left_s)
        except RuntimeError:
            time.sleep(0.01)
        else:
            return
