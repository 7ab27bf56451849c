"""Store the people from whom models learnt.

When a person's data is deleted, the rows of this person in the table `model_people` are deleted. The number of people
from whom a model learnt is stored in the row of the model, and the deletion does not change this number.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.db.model_tables import ModelPersonRow, ModelRow
from glas.db.session import insert
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist.changes import last_consent
from glas.domain.model_records import ModelState, TaughtModel
from glas.domain.people import Purpose

_BATCH = 1000


async def add(model_id: int, message_ids: Sequence[int], *, session: AsyncSession) -> None:
    """Store the senders of the given messages as people from whom a model learnt; ignore deleted messages."""
    people = set[int]()
    for start in range(0, len(message_ids), _BATCH):
        some = message_ids[start : start + _BATCH]
        people |= set(await session.scalars(select(TranscriptionRow.user_id).where(TranscriptionRow.id.in_(some))))
    for user_id in sorted(people):
        new = insert(session, ModelPersonRow).values(model_id=model_id, user_id=user_id)
        await session.execute(new.on_conflict_do_nothing())


async def count_willing(*, session: AsyncSession) -> dict[int, int]:
    """For each model, count the people from whom it learnt and who still consent to training."""
    agrees = last_consent(UserRow.id, Purpose.TRAINING)
    query = (
        select(ModelPersonRow.model_id, func.count())
        .join(UserRow, UserRow.id == ModelPersonRow.user_id)
        .where(agrees.is_(True))
        .group_by(ModelPersonRow.model_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def taught_by(user_id: int, *, session: AsyncSession) -> tuple[TaughtModel, ...]:
    """Return the models that learnt from a person, the oldest first."""
    query = select(ModelRow).join(ModelPersonRow).where(ModelPersonRow.user_id == user_id).order_by(ModelRow.id)
    rows = await session.scalars(query)
    return tuple(TaughtModel(name=row.name, version=row.version, state=ModelState(row.state)) for row in rows)


async def forget(user_id: int, *, session: AsyncSession) -> None:
    """Delete the rows of a person; the stored number of people from whom each model learnt does not change."""
    await session.execute(delete(ModelPersonRow).where(ModelPersonRow.user_id == user_id))
