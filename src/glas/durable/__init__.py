"""Run work that continues after a crash: workflows with recorded steps, queues, schedules and leases.

The work is stored and run by DBOS, a library for durable workflows; only this package imports DBOS.
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
