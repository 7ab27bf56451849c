"""Store the people whose records of durable work the bot must delete, until the bot has deleted these records.

If a person's data is deleted on the web pages, this process cannot delete the bot's records of durable work.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.held_bodies import WorkToForget
from glas.db.audit_tables import WorkToForgetRow
from glas.db.session import insert
from glas.db_assist import people

_KEPT: Final = timedelta(days=30)
"""Time after which a row of this list is deleted even if no bot has requested the list.

This is safe, because the bot's durable engine deletes the records of finished work after some days anyway.
"""

_MOST: Final = 1000


async def remember(tg_id: int, *, session: AsyncSession) -> None:
    """Store that the bot must delete its records of a person's works."""
    new = insert(session, WorkToForgetRow).values(tg_id=tg_id, creation_datetime=people.now())
    await session.execute(new.on_conflict_do_nothing(index_elements=["tg_id"]))


async def waiting(*, session: AsyncSession) -> WorkToForget:
    """Return the people whose records of durable work must be deleted."""
    query = select(WorkToForgetRow.tg_id).order_by(WorkToForgetRow.creation_datetime).limit(_MOST)
    return WorkToForget(people=tuple(await session.scalars(query)))


async def done(tg_id: int, *, session: AsyncSession) -> None:
    """Remove a person from the list, because the bot has deleted the person's records."""
    await session.execute(delete(WorkToForgetRow).where(WorkToForgetRow.tg_id == tg_id))


async def delete_expired(*, session: AsyncSession) -> None:
    """Delete the rows of people whose records of durable work no bot has deleted within 30 days."""
    await session.execute(delete(WorkToForgetRow).where(WorkToForgetRow.creation_datetime < people.now() - _KEPT))
