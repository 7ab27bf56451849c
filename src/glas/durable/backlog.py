"""Count unfinished works in DBOS's table `workflow_status`. Each query reads an index with only unfinished works."""

import asyncio
from typing import Any

import sqlalchemy as sa


class Backlog:
    """Counts the waiting works and the running works in one database (`Place`); works of all processes are counted."""

    def __init__(self, engine: sa.Engine, schema: str | None) -> None:
        self._engine = engine
        columns: list[sa.ColumnClause[str]] = [
            sa.column(name) for name in ("queue_name", "queue_partition_key", "status", "name")
        ]
        self._works = sa.table("workflow_status", *columns, schema=schema)

    async def count_waiting(self, *queues: str) -> int:
        """Return how many works wait in the given queues; running works are not counted."""
        return await self._count("ENQUEUED", *queues)

    async def count_running(self, *queues: str) -> int:
        """Return how many works from the given queues are running."""
        return await self._count("PENDING", *queues)

    async def has_work(self, person: str, *queues: str, workflow: str | None = None) -> bool:
        """Return whether work of a person waits or runs in the given queues; these queues must have `one_per_person`.

        If `workflow` is given, only works of this workflow are considered.
        """
        one = sa.select(sa.literal(1)).where(self._works.c.queue_partition_key == person).limit(1)
        if workflow is not None:
            one = one.where(self._works.c.name == workflow)
        return await asyncio.to_thread(self._first, self._unfinished(one, *queues)) is not None

    async def _count(self, status: str, *queues: str) -> int:
        count = sa.select(sa.func.count()).where(self._works.c.status == status)
        return int(await asyncio.to_thread(self._first, self._unfinished(count, *queues)))

    def _unfinished(self, query: sa.Select[Any], *queues: str) -> sa.Select[Any]:
        # SQLite uses a partial index only if it finds the index's condition word for word.
        unfinished: list[sa.ColumnClause[str]] = [
            sa.literal_column(f"'{status}'") for status in ("ENQUEUED", "PENDING")
        ]
        return query.where(self._works.c.queue_name.in_(queues), self._works.c.status.in_(unfinished))

    def _first(self, query: sa.Select[Any]) -> Any:
        with self._engine.begin() as connection:
            return connection.execute(query).scalar()
