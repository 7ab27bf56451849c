"""Durable work, which continues after a crash: workflows whose steps are recorded, queues, schedules and leases.

Only this package imports DBOS.
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
