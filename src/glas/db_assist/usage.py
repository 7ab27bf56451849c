"""Count the usage of parties within 24 hours; the rows contain pseudonyms, which callers compute, and no ids.

The rows of usage do not refer to the row of a person. So usage is also counted before a person registers and after the
person's data is deleted.
"""

from typing import Final

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import Usage, UsageRecord
from glas.db.session import insert
from glas.db.tables import PaidAudioRow, UsageRow, table_of
from glas.db_assist import people

_sent: Final = table_of(UsageRow)
_OF_PARTY: Final = select(
    func.count().label("n_messages"), func.coalesce(func.sum(_sent.c.audio_s), 0.0).label("audio_s")
).where(_sent.c.party == bindparam("party"), _sent.c.creation_datetime > bindparam("since"))


async def count(record: UsageRecord, *, session: AsyncSession) -> None:
    """Count a recording towards the usage of its party; if the recording is counted already, do nothing."""
    new = insert(session, UsageRow).values(**record.model_dump(), creation_datetime=people.now())
    await session.execute(new.on_conflict_do_nothing(index_elements=["recording"]))


async def usage_of(party: str, *, session: AsyncSession) -> Usage:
    """Return the usage of a party in the last 24 hours."""
    values = {"party": party, "since": people.now() - people.DAY}
    return Usage.model_validate({**(await session.execute(_OF_PARTY, values)).mappings().one()})


async def delete_expired(*, session: AsyncSession) -> None:
    """Delete usage that is older than a day, and expired hashes of paid audio."""
    now = people.now()
    await session.execute(delete(UsageRow).where(UsageRow.creation_datetime <= now - people.DAY))
    await session.execute(delete(PaidAudioRow).where(PaidAudioRow.expiry_datetime <= now))
