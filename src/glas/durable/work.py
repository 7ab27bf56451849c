"""Define queues, works and schedules; parts of Glas make these objects for the durable engine."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

WorkflowFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Queue:
    """A queue of works.

    Attributes:
        name: name of the queue, which is different for each queue.
        concurrency: largest number of works of this queue that one process runs at the same time.
        one_per_person: whether the works of one person run one after another, so that one person cannot delay others.
        poll_s: polling interval in seconds. Work that this process itself enqueues is noticed immediately.
    """

    name: str
    concurrency: int
    one_per_person: bool = True
    poll_s: float = 0.2


@dataclass(frozen=True)
class Work:
    """A work that is enqueued.

    Attributes:
        queue: name of the queue in which the work waits.
        workflow: name of the workflow function that does the work.
        id: id of the work. If a work with this id is stored already, this work is not enqueued.
        arguments: arguments of the workflow function, which must be representable in JSON.
        person: the person whose work it is. In a queue with `one_per_person`, works of the same person run one after
            another. If a person asks for the deletion of their data, all works of this person are deleted.
        traceparent: a span, in the format of W3C Trace Context; the work becomes a part of the trace of this span. None
            means the span of the caller.
    """

    queue: str
    workflow: str
    id: str
    arguments: tuple[Any, ...]
    person: str = "-"
    traceparent: str | None = None


@dataclass(frozen=True)
class Schedule:
    """A schedule: at each of certain times, one work is enqueued.

    Attributes:
        name: name of the schedule, under which it is stored in the database.
        workflow: name of the workflow function. The function is called with two arguments: the scheduled time, and
            None.
        cron: the times at which work is enqueued, as a cron expression. If it has six fields, the first field contains
            the seconds.
        queue: name of the queue in which the work is put. Only processes that have registered this queue run the work.
    """

    name: str
    workflow: str
    cron: str
    queue: str
