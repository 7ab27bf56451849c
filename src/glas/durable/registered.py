"""Collect the workflows, queues and schedules that the parts of a process register, until DBOS gets them."""

from collections.abc import Callable

import sqlalchemy as sa
from dbos import DBOS

from glas.durable.work import Queue, Schedule, Work, WorkflowFunction

_MAX_RECOVERIES = 1000


class Registered:
    """The workflows, queues and schedules that the parts register before the engine starts.

    Attributes:
        workflows: the functions that do work, by name.
        queues: the queues in which work waits.
        schedules: the schedules, which enqueue work at fixed times.
        unwanted: names of schedules that must be deleted; an earlier version of the program may have stored them in the
            database.
    """

    def __init__(self) -> None:
        self.workflows: dict[str, WorkflowFunction] = {}
        self.queues: list[Queue] = []
        self.schedules: list[Schedule] = []
        self.unwanted: list[str] = []

    def partition(self, work: Work) -> str | None:
        """Return the partition (a part of a queue) in which a work waits; None if its queue has no partitions.

        In a queue with `one_per_person`, each person has a separate partition.
        """
        one_per_person = any(queue.name == work.queue and queue.one_per_person for queue in self.queues)
        return work.person if one_per_person else None

    def announce(self, watched: Callable[[str, WorkflowFunction], WorkflowFunction]) -> None:
        """Register the workflows with DBOS, and the queues from which this process takes work.

        Call this before DBOS starts.

        Args:
            watched: is called with the name and the function of each workflow; it returns the function that is
                registered with DBOS.
        """
        self.workflows = {
            name: DBOS.workflow(name=name, max_recovery_attempts=_MAX_RECOVERIES)(watched(name, function))
            for name, function in self.workflows.items()
        }
        # Without this call, DBOS would claim all work in the database, and would fail at work whose part does not run
        # in this process.
        DBOS.listen_queues([queue.name for queue in self.queues])

    async def store(self) -> None:
        """Store the queues and schedules in the database."""
        for queue in self.queues:
            await DBOS.register_queue_async(
                queue.name,
                worker_concurrency=queue.concurrency,
                partition_concurrency=1 if queue.one_per_person else None,
                polling_interval_sec=queue.poll_s,
                on_conflict="always_update",
            )
        if self.schedules:
            await DBOS.apply_schedules_async(
                [
                    {
                        "schedule_name": one.name,
                        "workflow_fn": self.workflows[one.workflow],
                        "schedule": one.cron,
                        "queue_name": one.queue,
                    }
                    for one in self.schedules
                ]
            )

    def drop_schedules(self, engine: sa.Engine, schema: str | None, *, is_alone: bool) -> None:
        """Delete the schedules in `unwanted` from the database.

        If no other process runs, also delete the schedules that this process has not registered.

        Call this before DBOS starts. A running DBOS enqueues work for all schedules in the database, and notices the
        deletion of a schedule only some seconds later.

        Args:
            engine: SQLAlchemy's engine of the database.
            schema: the schema of DBOS's tables. The tables may not exist yet.
            is_alone: whether this process is the only running process that uses the database.
        """
        name: sa.ColumnClause[str] = sa.column("schedule_name")
        stored = sa.table("workflow_schedules", name, schema=schema)
        unwanted = name.not_in([one.name for one in self.schedules]) if is_alone else name.in_(self.unwanted)
        if sa.inspect(engine).has_table(stored.name, schema=schema):
            with engine.begin() as connection:
                connection.execute(sa.delete(stored).where(unwanted))
