"""Make the configuration of DBOS, and send the log lines of DBOS to the log of Glas."""

import logging

import sqlalchemy as sa
from dbos import DBOSConfig, DBOSPortableJSONSerializer

from glas.durable.place import Place

# This version is increased only if the order of recorded steps changes. Glas continues only work of the same version.
_STEPS_VERSION = "1"
# With SQLite, a thread of DBOS looks for messages between workflows. Glas uses no such messages, but the end of DBOS
# waits for this thread.
_LISTENER_POLL_S = 0.1


def configuration_of(place: Place, engine: sa.Engine, *, slot: str) -> DBOSConfig:
    """Make the configuration of DBOS.

    Args:
        place: the database in which work is stored.
        engine: SQLAlchemy's engine of this database.
        slot: name of this process, which stays the same when the process is started again.
    """
    found: DBOSConfig = {
        "name": "glas",
        "system_database_url": place.url,
        "application_version": _STEPS_VERSION,
        "executor_id": slot,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 5.0,
        "notification_listener_polling_interval_sec": _LISTENER_POLL_S,
        "system_database_engine": engine,
    }
    if place.schema is not None:
        found["dbos_system_schema"] = place.schema
    return found


def send_logs_to_ours() -> None:
    """Make DBOS write its log lines into the log of Glas, which removes secrets."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
