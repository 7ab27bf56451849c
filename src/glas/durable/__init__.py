"""Run work that continues after a crash of the process: workflows with recorded steps, queues, schedules and leases.

DBOS, a library for durable workflows, stores and runs the work. Only this package imports DBOS.
"""

from glas.durable.engine import Durable
from glas.durable.place import Place, is_away, postgres_place, sqlite_place
from glas.durable.retry import Retry, with_retries
from glas.durable.work import Queue, Schedule, Work

__all__ = [
    "Durable",
    "Place",
    "Queue",
    "Retry",
    "Schedule",
    "Work",
    "is_away",
    "postgres_place",
    "sqlite_place",
    "with_retries",
]
