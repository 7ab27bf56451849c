"""Store the people whose records of work the bot must delete, until the bot has deleted them.

The web pages can delete people's data, too, but they have no access to the bot's records of durable work.
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
"""Time after which a row is deleted even if no bot has asked for it.

By then, the bot's durable engine has itself deleted the records of finished work, which it keeps only for some days.
"""

_MOST: Final = 1000


async def remember(tg_id: int, *, session: AsyncSession) -> None:
    """Store that the bot must delete its records of a person's work."""
    new = insert(session, WorkToForgetRow).values(tg_id=tg_id, creation_datetime=people.now())
    await session.execute(new.on_conflict_do_nothing(index_elements=["tg_id"]))


async def waiting(*, session: AsyncSession) -> WorkToForget:
    """Return the people whose records must be deleted."""
    query = select(WorkToForgetRow.tg_id).order_by(WorkToForgetRow.creation_datetime).limit(_MOST)
    return WorkToForget(people=tuple(await session.scalars(query)))


async def done(tg_id: int, *, session: AsyncSession) -> None:
    """Delete the row of a person whose records the bot has deleted."""
    await session.execute(delete(WorkToForgetRow).where(WorkToForgetRow.tg_id == tg_id))


async def delete_expired(*, session: AsyncSession) -> None:
    """Delete rows that no bot has processed within 30 days."""
    await session.execute(delete(WorkToForgetRow).where(WorkToForgetRow.creation_datetime < people.now() - _KEPT))
