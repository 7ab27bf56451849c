"""What the engine is given to do: queues, pieces of work, times."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

WorkflowFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class Queue:
    """How work of one kind is let through.

    Attributes:
        name: names it.
        concurrency: workflows that one process runs at once.
        one_per_person: a person's work is done one after the other, so that nobody crowds out the rest.
        poll_s: seconds between two looks at the queue; what this process itself enqueues is seen at once.
    """

    name: str
    concurrency: int
    one_per_person: bool = True
    poll_s: float = 0.2


@dataclass(frozen=True)
class Work:
    """One piece of work to enqueue; `person` is whose turn it takes and by whom it can be forgotten."""

    queue: str
    workflow: str
    id: str
    arguments: tuple[Any, ...]
    person: str = "-"


@dataclass(frozen=True)
class Schedule:
    """Work that comes by the clock, never twice for one time.

    Attributes:
        name: names it.
        workflow: the function that does it; it gets the scheduled time and None.
        cron: when; six fields begin with seconds.
        queue: where it waits. Only processes that registered this queue do it.
    """

    name: str
    workflow: str
    cron: str
    queue: str
