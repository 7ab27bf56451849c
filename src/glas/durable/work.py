"""Queues, works and schedules, which parts define for the engine."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

WorkflowFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Queue:
    """A queue of works.

    Attributes:
        name: name of the queue, which is different for each queue.
        concurrency: number of workflows that one process runs at the same time.
        one_per_person: whether the works of one person run one after another, so that one person cannot delay others.
        poll_s: polling interval, seconds; work that this process enqueues is noticed at once.
    """

    name: str
    concurrency: int
    one_per_person: bool = True
    poll_s: float = 0.2


@dataclass(frozen=True)
class Work:
    """A work that is enqueued.

    In a queue with `one_per_person`, works with the same `person` run one after another. In every queue, they are
    deleted together if this person asks for the deletion of their data. `traceparent` names a span; the work becomes a
    part of the trace of this span. None means the span of the caller.
    """

    queue: str
    workflow: str
    id: str
    arguments: tuple[Any, ...]
    person: str = "-"
    traceparent: str | None = None


@dataclass(frozen=True)
class Schedule:
    """Work that is enqueued at fixed times, once for each time.

    Attributes:
        name: name of the schedule, under which it is stored in the database.
        workflow: name of the workflow function; its arguments are the scheduled time and None.
        cron: the times at which work is enqueued, as a cron expression. If it has six fields, the first field contains
            the seconds.
        queue: name of the queue in which the work is put. Only processes that registered this queue run the work.
    """

    name: str
    workflow: str
    cron: str
    queue: str
