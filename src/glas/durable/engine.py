"""DBOS, started once per process: parts register their work before it starts, then enqueue it by name.

Workflow functions get and return JSON only. Their ids are idempotency keys: what was enqueued once is not enqueued
again. A step that was recorded is never repeated; one that was not is, so that its effect must bear a repetition.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, DBOSContextSetAuth, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from glas.domain.errors import ConfigurationError
from glas.durable.members import Members
from glas.durable.orphans import Orphans
from glas.durable.place import Place

_T = TypeVar("_T")
WorkflowFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]

# Raised only when the order of recorded steps changes; otherwise a new release could not go on with running work.
_STEPS_VERSION = "1"
_MAX_RECOVERIES = 1000
_HEARTBEAT_S = 5.0
_DEAD_AFTER_S = 30.0
_CLEANING_S = 3600.0
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_BATCH = 500

_log = structlog.stdlib.get_logger("glas.durable")


@dataclass(frozen=True)
class Queue:
    """How work of one kind is let through.

    Attributes:
        name: names it.
        concurrency: workflows that one process runs at once.
        one_per_person: a person's work is done one after the other, so that nobody crowds out the rest.
        poll_s: seconds between two looks at the queue.
    """

    name: str
    concurrency: int
    one_per_person: bool = True
    poll_s: float = 0.1


@dataclass(frozen=True)
class Work:
    """One piece of work to enqueue; `person` is whose turn it takes and by whom it can be forgotten."""

    queue: str
    workflow: str
    id: str
    arguments: tuple[Any, ...]
    person: str = "-"


class Durable:
    """The engine of this process; one at a time, since DBOS itself is one."""

    _is_started: ClassVar[bool] = False

    def __init__(self, place: Place, *, slot: str, keep_days: float = 2.0) -> None:
        """Prepare it; nothing is opened before `start`.

        Args:
            place: where work is remembered.
            slot: stable name of this process: work that it left behind when it died is its own again.
            keep_days: days after which ended work is forgotten; Telegram repeats updates for one day.
        """
        self._place = place
        self._slot = slot
        self._keep_s = keep_days * 86_400
        self._functions: dict[str, WorkflowFunction] = {}
        self._queues: list[Queue] = []
        self._schedules: list[tuple[str, str, str]] = []
        self._engine: sa.Engine | None = None
        self._members: Members | None = None
        self._care: list[asyncio.Task[None]] = []
        self._dbos: DBOS | None = None
        self._orphans = Orphans(slot)
        self.n_living = 1

    @property
    def slot(self) -> str:
        """The stable name of this process."""
        return self._slot

    def workflow(self, name: str, function: WorkflowFunction) -> None:
        """Register the function that does work called `name`."""
        self._functions[name] = function

    def queue(self, queue: Queue) -> None:
        """Register a queue."""
        self._queues.append(queue)

    def schedule(self, name: str, workflow: str, cron: str) -> None:
        """Let `workflow` run at the times that `cron` gives (six fields begin with seconds); never twice for one time.

        The function gets the scheduled time and None.
        """
        self._schedules.append((name, workflow, cron))

    async def start(self) -> None:
        """Open the database, take back what was left behind, begin to work.

        Raises:
            ConfigurationError: the database cannot be opened, or this process has an engine already.
        """
        if Durable._is_started:
            raise ConfigurationError("expected one durable engine in a process, got a second")
        _send_logs_to_ours()
        self._engine = self._place.open()
        self._members = Members(self._engine, self._place.schema)
        try:
            await asyncio.to_thread(self._members.prepare)
            await asyncio.to_thread(self._members.beat, self._slot)
        except sa.exc.OperationalError as error:
            self._engine.dispose()
            raise ConfigurationError(f"cannot open the durable engine's database: {error.orig}") from error
        config: DBOSConfig = {
            "name": "glas",
            "system_database_url": self._place.url,
            "application_version": _STEPS_VERSION,
            "executor_id": self._slot,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "scheduler_polling_interval_sec": 5.0,
        }
        if self._place.schema is not None:
            config["dbos_system_schema"] = self._place.schema
        else:
            config["system_database_engine"] = self._engine
        Durable._is_started = True
        self._dbos = DBOS(config=config)
        registered = {
            name: DBOS.workflow(name=name, max_recovery_attempts=_MAX_RECOVERIES)(_plain(function))
            for name, function in self._functions.items()
        }
        self._functions = registered
        # In this loop, so that workflows run here, where the clients that they use live.
        DBOS.launch()
        await self._register()
        self._care = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_clean())]

    async def _register(self) -> None:
        for queue in self._queues:
            await DBOS.register_queue_async(
                queue.name,
                worker_concurrency=queue.concurrency,
                partition_concurrency=1 if queue.one_per_person else None,
                polling_interval_sec=queue.poll_s,
                on_conflict="always_update",
            )
        if self._schedules:
            await DBOS.apply_schedules_async(
                [
                    {"schedule_name": name, "workflow_fn": self._functions[workflow], "schedule": cron}
                    for name, workflow, cron in self._schedules
                ]
            )

    async def close(self, *, patience_s: float = 20.0) -> None:
        """Let running work end, at most `patience_s` seconds, then stop; what is cut off goes on at the next start."""
        for task in self._care:
            task.cancel()
        await asyncio.gather(*self._care, return_exceptions=True)
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
        # A look at a queue that is under way still hands out what it has claimed; only after it nothing new begins.
        await asyncio.to_thread(_join_queue_threads)
        # DBOS.destroy would wait in whole seconds, even for nothing.
        while (running := set(dbos._workflow_tasks)) and time.monotonic() < deadline:  # noqa: SLF001
            await asyncio.wait(running, timeout=deadline - time.monotonic())
        # What is cancelled here is recorded as nothing, so that the next start goes on with it.
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # DBOS made its own pool the loop's default one and closes it now; others in this loop still need one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="glas"))
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        self._dbos = None
        Durable._is_started = False

    async def enqueue(self, work: Work) -> None:
        """Remember work durably; it is done soon, once. Work with a known id is left as it is."""
        with (
            SetWorkflowID(work.id),
            SetEnqueueOptions(queue_partition_key=self._partition(work)),
            DBOSContextSetAuth(work.person, []),
        ):
            await DBOS.enqueue_workflow_async(work.queue, self._functions[work.workflow], *work.arguments)

    def _partition(self, work: Work) -> str | None:
        one_per_person = any(queue.name == work.queue and queue.one_per_person for queue in self._queues)
        return work.person if one_per_person else None

    async def step(self, name: str, function: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Inside a workflow: do `function`, or return what it gave when it was recorded. Its value must be JSON."""
        result: _T = await DBOS.run_step_async({"name": name}, function)
        return result

    async def take_lease(self, name: str, ttl_s: float) -> bool:
        """Take or renew a lease for `ttl_s` seconds; false while another process has it."""
        assert self._members is not None, "expected a started engine"  # noqa: S101
        return await asyncio.to_thread(self._members.take_lease, name, self._slot, ttl_s)

    async def count_waiting(self, queue: str) -> int:
        """How many pieces of work wait in a queue."""
        found = await DBOS.list_workflows_async(
            queue_name=queue, status="ENQUEUED", load_input=False, load_output=False, limit=_BATCH
        )
        return len(found)

    async def forget(self, person: str, *, except_ids: Collection[str] = ()) -> int:
        """Delete every ended piece of work of a person, with inputs and results; returns how many."""
        found = await DBOS.list_workflows_async(user=person, status=_ENDED, load_input=False, load_output=False)
        return await self._delete([one.workflow_id for one in found if one.workflow_id not in except_ids])

    async def _delete(self, ids: Sequence[str]) -> int:
        for start in range(0, len(ids), _BATCH):
            await DBOS.delete_workflows_async(list(ids[start : start + _BATCH]))
        return len(ids)

    async def _keep_alive(self) -> None:
        """Beat, and take over the work of those who stopped beating."""
        assert self._members is not None, "expected a started engine"  # noqa: S101
        while True:
            try:
                await asyncio.to_thread(self._members.beat, self._slot)
                living = await asyncio.to_thread(self._members.living, _DEAD_AFTER_S)
                self.n_living = max(1, len(living))
                await self._take_over(living)
            except Exception as error:  # noqa: BLE001 - the database may be away; the next beat tries again
                _log.warning("no heartbeat", error=repr(error))
            await asyncio.sleep(_HEARTBEAT_S)

    async def _take_over(self, living: frozenset[str]) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        if self._dbos is not None:
            ours = {one.workflow_id for one in pending if one.executor_id == self._slot}
            await asyncio.to_thread(self._orphans.put_back, self._dbos, ours)
        dead = {one.executor_id for one in pending if one.executor_id} - living - {self._slot}
        if dead:
            _log.warning("taking over the work of executors that are gone", executors=sorted(dead))
            # Private, but the only way without DBOS' paid service; a row changes its owner at most once.
            await asyncio.to_thread(DBOS._recover_pending_workflows, sorted(dead))  # noqa: SLF001

    async def _keep_clean(self) -> None:
        """Forget what ended long ago: it holds texts, and nobody asks for it any more."""
        while True:
            try:
                before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - self._keep_s))
                found = await DBOS.list_workflows_async(
                    status=_ENDED, end_time=before, load_input=False, load_output=False, limit=10 * _BATCH
                )
                await self._delete([one.workflow_id for one in found])
            except Exception as error:  # noqa: BLE001 - likewise
                _log.warning("old work was not forgotten", error=repr(error))
            await asyncio.sleep(_CLEANING_S)


def _join_queue_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("queue-worker-"):
            thread.join(timeout=10)


def _send_logs_to_ours() -> None:
    """Keep DBOS from printing by itself: its lines pass our processors, which redact secrets."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _plain(function: WorkflowFunction) -> WorkflowFunction:
    """A function around a method: DBOS marks what it registers, and a bound method cannot be marked."""

    async def call(*arguments: Any) -> Any:
        return await function(*arguments)

    return call
