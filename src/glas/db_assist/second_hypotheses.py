"""Store and find second hypotheses: texts that a second model recognised in the recordings of messages."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.second_hypotheses import SecondText
from glas.db.session import insert
from glas.db.tables import SecondHypothesisRow, TranscriptionRow
from glas.db_assist import messages, people
from glas.domain.messages import SecondHypothesis


async def store(transcription_id: int, wanted: SecondText, *, session: AsyncSession) -> SecondHypothesis:
    """Store the second hypothesis of a message; it replaces an earlier second hypothesis of the same message.

    Raises:
        NotFoundError: there is no such message.
    """
    await messages.lock(transcription_id, session=session)
    values = wanted.model_dump() | {"creation_datetime": people.now()}
    new = insert(session, SecondHypothesisRow).values(transcription_id=transcription_id, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["transcription_id"], set_=values))
    return SecondHypothesis(transcription_id=transcription_id, **wanted.model_dump())


async def find(transcription_id: int, *, session: AsyncSession) -> SecondHypothesis | None:
    """Return the second hypothesis of a message; None if there is none."""
    row = await session.get(SecondHypothesisRow, transcription_id)
    return None if row is None else SecondHypothesis.model_validate(row, from_attributes=True)


async def of_person(user_id: int, *, session: AsyncSession) -> tuple[SecondHypothesis, ...]:
    """Return the second hypotheses of all messages of a person."""
    query = select(SecondHypothesisRow).join(
        TranscriptionRow, TranscriptionRow.id == SecondHypothesisRow.transcription_id
    )
    rows = await session.scalars(query.where(TranscriptionRow.user_id == user_id).order_by(TranscriptionRow.id))
    return tuple(SecondHypothesis.model_validate(row, from_attributes=True) for row in rows)
