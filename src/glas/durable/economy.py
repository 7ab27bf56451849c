"""What DBOS asks of its database more often than it needs to, asked less. By private names of the pinned version.

Two things took half of the engine's processor time: before each step it looks for the step's record, although of work
that nobody has begun before nothing can be recorded; and it looks at each queue several times a second, although
whoever fills a queue is most often the process that empties it.
"""

import threading
from typing import Any

from dbos import DBOS, _dbos

_WORKER = "queue-worker-"
# Work that comes in a rush is claimed together, not one look for each.
_LEAST_S = 0.08


class FirstRuns:
    """Spares first runs the search for records.

    The claim of a piece of work counts its runs in the database. When the count is 1, no process has run it before;
    one that is taken over, or put back, counts more, and its steps are looked up as always.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def watch(self, dbos: DBOS) -> None:
        """Begin, before anything is claimed."""
        database = dbos._sys_db  # noqa: SLF001 - see above
        statuses, check = database.get_workflow_statuses, database.check_operation_execution

        def noting(ids: list[str], *arguments: Any, **options: Any) -> Any:
            found = statuses(ids, *arguments, **options)
            for one in found:
                note = self._ids.add if one["recovery_attempts"] == 1 else self._ids.discard
                note(one["workflow_uuid"])
            return found

        def unless_first(workflow_id: str, *arguments: Any, **options: Any) -> Any:
            return None if workflow_id in self._ids else check(workflow_id, *arguments, **options)

        database.get_workflow_statuses = noting  # type: ignore[method-assign, assignment]
        database.check_operation_execution = unless_first  # type: ignore[method-assign]

    def ended(self, workflow_id: str | None) -> None:
        """Let go of it; a run of the same work that may follow is not the first."""
        self._ids.discard(workflow_id or "")


class Bells:
    """Wakes the threads that look at queues; those that nobody wakes look as often as their queue says."""

    def __init__(self) -> None:
        self._bells: dict[str, threading.Event] = {}

    def ring(self, queue: str) -> None:
        """There is something to do in `queue`, or room to do it."""
        if (bell := self._bells.get(queue)) is not None:
            bell.set()

    def ring_all(self) -> None:
        """Wake everybody, to end."""
        for bell in list(self._bells.values()):
            bell.set()

    def launch(self, first_runs: FirstRuns) -> None:
        """`DBOS.launch`, with threads that can be woken, and with an eye on first runs."""
        begin = _dbos.queue_thread  # type: ignore[attr-defined]

        def begin_watched(stop_event: threading.Event, dbos: DBOS) -> None:
            first_runs.watch(dbos)
            begin(_Wait(stop_event, self._bells), dbos)

        _dbos.queue_thread = begin_watched  # type: ignore[attr-defined]
        try:
            DBOS.launch()
        finally:
            _dbos.queue_thread = begin  # type: ignore[attr-defined]


class _Wait(threading.Event):
    """In place of the event with which DBOS ends these threads: waiting for it also ends when the bell rings."""

    def __init__(self, stop: threading.Event, bells: dict[str, threading.Event]) -> None:
        super().__init__()
        self._stop = stop
        self._bells = bells

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        name = threading.current_thread().name
        if timeout is None or timeout <= _LEAST_S or not name.startswith(_WORKER):
            return self._stop.wait(timeout)
        bell = self._bells.setdefault(name.removeprefix(_WORKER), threading.Event())
        if not self._stop.wait(_LEAST_S):
            bell.wait(timeout - _LEAST_S)
            bell.clear()
        return self._stop.is_set()
