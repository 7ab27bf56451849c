"""Run durable work; the class `Durable` (below: the engine) does this with DBOS, a library for durable workflows.

Parts register functions before the engine starts, and enqueue work by the names of these functions.

Arguments and results of workflow functions must be JSON. The id of a work is its idempotency key: if a work with this
id is stored already, a new work with this id is not enqueued. A recorded step is never repeated. A step that a crash
interrupted is repeated, so each step must be safe to repeat.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSContextSetAuth, SetEnqueueOptions, SetWorkflowID

from glas import tracing
from glas.domain.errors import ConfigurationError
from glas.durable.backlog import Backlog
from glas.durable.configuration import configuration_of, send_logs_to_ours
from glas.durable.dbos_adapter import FirstRuns, QueueWaits, join_queue_threads, running, start_work_in
from glas.durable.maintenance import DEAD_AFTER_S, Maintenance, end_unknown_runs
from glas.durable.members import Members
from glas.durable.orphans import Running
from glas.durable.place import Place
from glas.durable.registered import Registered
from glas.durable.work import Queue, Schedule, Work, WorkflowFunction

_T = TypeVar("_T")


class Durable:
    """The durable engine of this process. A process can have only one engine, because DBOS permits no second one."""

    _is_started: ClassVar[bool] = False

    def __init__(self, place: Place, *, slot: str, part: tracing.Part = "tg_bot", keep_days: float = 2.0) -> None:
        """Make a durable engine. `start` opens the database.

        Args:
            place: the database in which work is stored.
            slot: name of this process, which stays the same when the process is started again. After a crash, the
                process that is started with the same name continues the work that the crashed process had claimed.
            part: the part of Glas to which traces assign the works of this engine.
            keep_days: days after which ended work is deleted. It must be at least 1: Telegram may send an update again
                within a day, and the stored work prevents that the update is processed twice.
        """
        self._place = place
        self._slot = slot
        self._part = part
        self._keep_s = keep_days * 86_400
        self._registered = Registered()
        self._engine: sa.Engine | None = None
        self._members: Members | None = None
        self._maintenance: Maintenance | None = None
        self._dbos: DBOS | None = None
        self._first_runs = FirstRuns()
        self._waits = QueueWaits(is_shared=not place.is_sqlite)
        self._running = Running()
        self._note: Callable[[], str] = str
        self._hear: Callable[[Mapping[str, str]], object] = len

    @property
    def slot(self) -> str:
        """The name of this process, which stays the same when the process is started again."""
        return self._slot

    def tell(self, note: Callable[[], str], hear: Callable[[Mapping[str, str]], object]) -> None:
        """Exchange notes (short texts) with the other processes that use this database; call this before `start`.

        Args:
            note: returns the note of this process; the engine calls `note` at each heartbeat.
            hear: is called with a mapping from the slots of all other running processes to their notes. Each note is
                some seconds old.
        """
        self._note, self._hear = note, hear

    def workflow(self, name: str, function: WorkflowFunction) -> None:
        """Register the function that does all works whose `workflow` is `name`."""
        self._registered.workflows[name] = function

    def queue(self, queue: Queue) -> None:
        """Register a queue, from which this process will take work."""
        self._registered.queues.append(queue)

    def schedule(self, schedule: Schedule) -> None:
        """Register work that is enqueued at fixed times."""
        self._registered.schedules.append(schedule)

    def unschedule(self, name: str) -> None:
        """Register the name of a schedule that `start` must delete from the database.

        An earlier version of the program may have stored this schedule.
        """
        self._registered.unwanted.append(name)

    async def start(self) -> None:
        """Open the database, continue the work that a crash interrupted, and begin to take work from the queues.

        Raises:
            ConfigurationError: the database cannot be opened, or this process already has an engine.
        """
        if Durable._is_started:
            raise ConfigurationError("expected one durable engine in a process, got a second")
        send_logs_to_ours()
        engine, members = await self._join()
        is_alone = set(await asyncio.to_thread(members.living, DEAD_AFTER_S)) <= {self._slot}
        schema = self._place.schema
        await asyncio.to_thread(self._registered.drop_schedules, engine, schema, is_alone=is_alone)
        Durable._is_started = True
        self._dbos = DBOS(config=configuration_of(self._place, engine, slot=self._slot))
        self._registered.announce(self._watched)
        # Workflows must run in this event loop, because their clients belong to it.
        start_work_in(asyncio.get_running_loop(), self._dbos)
        self._waits.launch(self._first_runs)
        self._maintenance = Maintenance(
            self._dbos,
            members,
            self._slot,
            keep_s=self._keep_s,
            note=self._note,
            hear=self._hear,
            running=self._running,
            is_shared=not self._place.is_sqlite,
        )
        await self._registered.store()
        self._waits.wake_for_new_queues()
        if is_alone:
            await end_unknown_runs(self._registered.workflows)
        self._maintenance.start()

    async def _join(self) -> tuple[sa.Engine, Members]:
        """Open the database, and add this process to the list of the processes that share the database."""
        self._engine = self._place.open()
        self._members = Members(self._engine, self._place.schema)
        try:
            await asyncio.to_thread(self._place.adopt)
            await asyncio.to_thread(self._members.prepare)
            await asyncio.to_thread(self._members.beat, self._slot)
        except sa.exc.OperationalError as error:
            self._engine.dispose()
            raise ConfigurationError(f"cannot open the durable engine's database: {error.orig}") from error
        return self._engine, self._members

    def _watched(self, name: str, function: WorkflowFunction) -> WorkflowFunction:
        """Wrap a workflow function: each run is reported to `Running` at its beginning, and to `FirstRuns` at its end.

        The result is a plain function, because DBOS cannot register a bound method.
        """

        async def call(*arguments: Any, trace: dict[str, Any] | None = None) -> Any:
            self._running.add(DBOS.workflow_id)
            try:
                with tracing.from_queue(self._part, name, trace):
                    return await function(*arguments)
            finally:
                self._first_runs.ended(DBOS.workflow_id)

        return call

    async def close(self, *, patience_s: float = 20.0) -> None:
        """Wait at most `patience_s` seconds for running work, then stop.

        Work that has not ended within this time continues after the next start.
        """
        if self._maintenance is not None:
            await self._maintenance.stop()
        if self._dbos is not None:
            await self._end_work(self._dbos, patience_s)
        if self._members is not None:
            with suppress(sa.exc.OperationalError):
                await asyncio.to_thread(self._members.leave, self._slot)
        if self._engine is not None:
            self._engine.dispose()

    async def _end_work(self, dbos: DBOS, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        for event in dbos.background_thread_stop_events:
            event.set()
        self._waits.wake_all()
        # A thread that is polling a queue still starts the work that it has claimed. When these threads have ended, no
        # new work begins.
        await asyncio.to_thread(join_queue_threads)
        # DBOS.destroy would wait for whole seconds, even if no task runs.
        while (tasks := running(dbos)) and time.monotonic() < deadline:
            await asyncio.wait(tasks, timeout=deadline - time.monotonic())
        # Nothing is recorded for work that is cancelled here, so the next start continues it.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # DBOS replaced the default thread pool of the loop, and now closes its pool. Other users of this loop need a
        # new one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="glas"))
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        self._dbos = None
        Durable._is_started = False

    async def enqueue(self, work: Work) -> None:
        """Store a work durably, so that it is run once; if a work with its id is stored already, do nothing.

        If DBOS were called directly within a workflow, it would record the call as a step. This record takes two more
        transactions. With the record, a repetition of the workflow does not enqueue the work a second time. But the id
        of the work already ensures this. So DBOS is called in a separate context, in which DBOS records no step.
        """
        await asyncio.create_task(
            self._enqueue(work, tracing.to_queue(work.queue, work.traceparent)), context=Context()
        )

    async def _enqueue(self, work: Work, trace: dict[str, Any] | None) -> None:
        # Without a trace, the recorded input has the same form as in older versions of Glas, which had no traces.
        named = {} if trace is None else {"trace": trace}
        with (
            SetWorkflowID(work.id),
            SetEnqueueOptions(queue_partition_key=self._registered.partition(work)),
            DBOSContextSetAuth(work.person, []),
        ):
            await DBOS.enqueue_workflow_async(
                work.queue, self._registered.workflows[work.workflow], *work.arguments, **named
            )
        self._waits.wake(work.queue)

    async def step(self, name: str, function: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Call `function` as a step of a workflow; if the result of the step is recorded already, return this result.

        The result must be representable in JSON. An exception of `function` is raised by this method and not recorded,
        so the next run of the workflow repeats the step. If an error must be recorded as the result of the step,
        `function` must return the error as a value.
        """

        async def guarded() -> _T:
            try:
                with self._running.acting():
                    return await function()
            except Exception as error:
                raise _NotRecordedError(error) from error

        try:
            result: _T = await DBOS.run_step_async({"name": name}, guarded)
        except _NotRecordedError as carrier:
            raise carrier.error from carrier.error.__cause__
        return result

    async def take_lease(self, name: str, ttl_s: float) -> bool:
        """Get or renew a lease (a right of one process) for `ttl_s` seconds.

        Return False if another process has the lease.
        """
        assert self._members is not None, "expected a started engine"  # noqa: S101
        return await asyncio.to_thread(self._members.take_lease, name, self._slot, ttl_s)

    async def drop_lease(self, name: str) -> None:
        """Give up a lease, so that another process can get the lease."""
        assert self._members is not None, "expected a started engine"  # noqa: S101
        await asyncio.to_thread(self._members.drop_lease, name, self._slot)

    @property
    def backlog(self) -> Backlog:
        """The object that counts the unfinished works of all processes."""
        assert self._engine is not None, "expected a started engine"  # noqa: S101
        return Backlog(self._engine, self._place.schema)

    async def forget(self, person: str) -> int:
        """Delete a person's work and its arguments and results: ended work immediately, other work soon after its end.

        Returns:
            The number of works that were deleted immediately.
        """
        assert self._maintenance is not None, "expected a started engine"  # noqa: S101
        return await self._maintenance.forget(person)


class _NotRecordedError(BaseException):
    """Contains the error of a step. DBOS records an `Exception` as the result of a step, but not a `BaseException`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
