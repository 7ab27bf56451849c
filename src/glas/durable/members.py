"""Read and write three tables about the processes that share a database.

The tables contain heartbeats, leases (rights that one process has for some time), and requests to delete people's work.
"""

import time
import zlib
from typing import Any

import sqlalchemy as sa

# If several processes start at the same time with an empty database, one creates the tables and the others wait.
_PREPARING = zlib.crc32(b"glas durable tables")


class Members:
    """Reads and writes the tables of heartbeats, leases and requests.

    Each method is one transaction and blocks, so a coroutine must call it in a thread.
    """

    def __init__(self, engine: sa.Engine, schema: str | None) -> None:
        self._engine = engine
        self._schema = schema
        metadata = sa.MetaData(schema=schema)
        self._executors = sa.Table(
            "glas_executors",
            metadata,
            sa.Column("slot", sa.Text, primary_key=True),
            sa.Column("seen_s", sa.Double, nullable=False),
            sa.Column("note", sa.Text),
        )
        self._leases = sa.Table(
            "glas_leases",
            metadata,
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("holder", sa.Text, nullable=False),
            sa.Column("until_s", sa.Double, nullable=False),
        )
        self._forgotten = sa.Table(
            "glas_forgotten",
            metadata,
            sa.Column("person", sa.Text, primary_key=True),
            sa.Column("before_s", sa.Double, nullable=False),
        )
        self._metadata = metadata

    def prepare(self) -> None:
        """Create the tables; if the table of heartbeats was made by an older version, add the column `note` to it."""
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PREPARING)))
            if self._schema is not None:
                connection.execute(sa.schema.CreateSchema(self._schema, if_not_exists=True))
            self._metadata.create_all(connection)
            columns = sa.inspect(connection).get_columns(self._executors.name, schema=self._schema)
            if "note" not in {column["name"] for column in columns}:
                name = connection.dialect.identifier_preparer.format_table(self._executors)
                connection.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN note TEXT"))

    def beat(self, slot: str, note: str = "") -> None:
        """Store a heartbeat of `slot` with a note for the other processes."""
        with self._engine.begin() as connection:
            values = {"seen_s": self._now_s(connection), "note": note}
            changed = connection.execute(
                sa.update(self._executors).where(self._executors.c.slot == slot).values(values)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(self._executors).values(slot=slot, **values))

    def leave(self, slot: str) -> None:
        """Delete the heartbeat and the leases of `slot`, because the process with this name stops."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(self._executors).where(self._executors.c.slot == slot))
            connection.execute(sa.delete(self._leases).where(self._leases.c.holder == slot))

    def empty_log(self) -> bool:
        """Empty the write-ahead log of SQLite, because deleted rows can be read in this log until they are overwritten.

        Returns:
            Whether the log is empty. The log cannot be emptied while other connections are reading.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        with self._engine.connect() as connection:
            # Not through SQLAlchemy, which would begin a transaction.
            driver: Any = connection.connection.driver_connection
            is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy

    def living(self, dead_after_s: float) -> dict[str, str]:
        """Return the notes of all slots whose heartbeat is at most `dead_after_s` seconds old, as a mapping by slot."""
        table = self._executors.c
        with self._engine.begin() as connection:
            since_s = self._now_s(connection) - dead_after_s
            rows = connection.execute(sa.select(table.slot, table.note).where(table.seen_s >= since_s))
            return {slot: note or "" for slot, note in rows}

    def take_lease(self, name: str, holder: str, ttl_s: float) -> bool:
        """Give a lease to the slot `holder` for `ttl_s` seconds; return False if another slot has this lease."""
        leases = self._leases
        with self._engine.begin() as connection:
            now_s = self._now_s(connection)
            free = sa.or_(leases.c.holder == holder, leases.c.until_s < now_s)
            changed = connection.execute(
                sa.update(leases).where(leases.c.name == name, free).values(holder=holder, until_s=now_s + ttl_s)
            )
            if changed.rowcount:
                return True
            if connection.execute(sa.select(leases.c.holder).where(leases.c.name == name)).first():
                return False
            try:
                connection.execute(sa.insert(leases).values(name=name, holder=holder, until_s=now_s + ttl_s))
            except sa.exc.IntegrityError:
                connection.rollback()  # another process took the lease at the same moment
                return False
            return True

    def drop_lease(self, name: str, holder: str) -> None:
        """Give up a lease if the slot `holder` has it, so that another process can get the lease immediately."""
        leases = self._leases
        with self._engine.begin() as connection:
            connection.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))

    def request_deletion(self, person: str, before_s: float) -> None:
        """Store a request to delete the work of a person that was enqueued before `before_s`.

        An earlier request for this person is replaced.
        """
        with self._engine.begin() as connection:
            connection.execute(sa.delete(self._forgotten).where(self._forgotten.c.person == person))
            connection.execute(sa.insert(self._forgotten).values(person=person, before_s=before_s))

    def confirm_deletion(self, person: str, before_s: float) -> None:
        """Remove the request to delete a person's work.

        Call this when all work of the person that was enqueued before `before_s` has been deleted. A request with a
        later time than `before_s` is not removed.
        """
        table = self._forgotten.c
        with self._engine.begin() as connection:
            connection.execute(sa.delete(self._forgotten).where(table.person == person, table.before_s <= before_s))

    def pending_deletions(self) -> list[tuple[str, float]]:
        """Return the requests to delete work: for each request, the person and a Unix time in seconds.

        The work of the person that was enqueued before this time must be deleted.
        """
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(self._forgotten.c.person, self._forgotten.c.before_s))
            return [(person, before_s) for person, before_s in rows]

    def _now_s(self, connection: sa.Connection) -> float:
        """Return the present time in seconds since 1970.

        With PostgreSQL, this is the time of the server's clock, which all machines share. With SQLite, this is the time
        of this machine's clock.
        """
        if connection.dialect.name == "sqlite":
            return time.time()
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
