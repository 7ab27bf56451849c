"""Who is alive: heartbeats of the executors, and leases that one of them holds at a time."""

import time

import sqlalchemy as sa


class Members:
    """Two small tables beside those of the engine; every call is one transaction and blocks, so call it in a thread."""

    def __init__(self, engine: sa.Engine, schema: str | None) -> None:
        self._engine = engine
        self._schema = schema
        metadata = sa.MetaData(schema=schema)
        self._executors = sa.Table(
            "glas_executors",
            metadata,
            sa.Column("slot", sa.Text, primary_key=True),
            sa.Column("seen_s", sa.Double, nullable=False),
        )
        self._leases = sa.Table(
            "glas_leases",
            metadata,
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("holder", sa.Text, nullable=False),
            sa.Column("until_s", sa.Double, nullable=False),
        )
        self._metadata = metadata

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        with self._engine.begin() as connection:
            if self._schema is not None:
                connection.execute(sa.schema.CreateSchema(self._schema, if_not_exists=True))
        self._metadata.create_all(self._engine)

    def beat(self, slot: str) -> None:
        """Say that `slot` is alive."""
        with self._engine.begin() as connection:
            now_s = self._now_s(connection)
            changed = connection.execute(
                sa.update(self._executors).where(self._executors.c.slot == slot).values(seen_s=now_s)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(self._executors).values(slot=slot, seen_s=now_s))

    def leave(self, slot: str) -> None:
        """Say that `slot` has stopped, and let its leases go."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(self._executors).where(self._executors.c.slot == slot))
            connection.execute(sa.delete(self._leases).where(self._leases.c.holder == slot))

    def living(self, dead_after_s: float) -> frozenset[str]:
        """The slots that were heard of within `dead_after_s` seconds."""
        with self._engine.begin() as connection:
            since_s = self._now_s(connection) - dead_after_s
            rows = connection.execute(sa.select(self._executors.c.slot).where(self._executors.c.seen_s >= since_s))
            return frozenset(rows.scalars())

    def take_lease(self, name: str, holder: str, ttl_s: float) -> bool:
        """Take or renew a lease for `ttl_s` seconds; false while somebody else has it."""
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
            connection.execute(sa.insert(leases).values(name=name, holder=holder, until_s=now_s + ttl_s))
            return True

    def _now_s(self, connection: sa.Connection) -> float:
        """The time by the database's clock, which all machines share; an SQLite file is of one machine anyway."""
        if connection.dialect.name == "sqlite":
            return time.time()
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
