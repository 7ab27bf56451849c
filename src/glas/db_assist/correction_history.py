"""Store and read the history of a message's words: who changed the words, when, and the new words.

The history also contains changes that were not applied.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.db.correction_tables import CorrectionChangeRow
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import people, vocabulary
from glas.domain.corrections import CorrectionChange, Rank, Sound


async def history(transcription_id: int, *, session: AsyncSession) -> tuple[CorrectionChange, ...]:
    """Return all changes of a message's words, the oldest first."""
    return _described(await _changes(CorrectionChangeRow.transcription_id == transcription_id, session=session))


async def history_of_person(user_id: int, *, session: AsyncSession) -> tuple[CorrectionChange, ...]:
    """Return all changes of the words of a person's messages."""
    mine = select(TranscriptionRow.id).where(TranscriptionRow.user_id == user_id)
    return _described(await _changes(CorrectionChangeRow.transcription_id.in_(mine), session=session))


async def add_change(
    row: TranscriptionRow,
    user: UserRow,
    reference: str | None,
    rank: Rank | None,
    *,
    is_applied: bool = True,
    sound: Sound = Sound.UNKNOWN,
    takes_back: int | None = None,
    session: AsyncSession,
) -> CorrectionChangeRow:
    """Add a change to the history; if the change is applied, update the vocabulary of the message's author.

    Args:
        row: the row of the message.
        user: the row of the person who changes the words.
        reference: the new words; None means the recognised words.
        rank: the reliability of the words; None for the recognised words.
        is_applied: whether the new words replace the current words. The caller must replace the current words; this
            function does not.
        sound: whether the sound supports the new words, according to an engine.
        takes_back: id of the earlier change that this change undoes; None if it undoes no change.
        session: the caller's database transaction.
    """
    change = CorrectionChangeRow(
        transcription_id=row.id,
        user_id=user.id,
        reference=reference,
        rank=rank,
        is_applied=is_applied,
        sound=sound.value,
        takes_back=takes_back,
        creation_datetime=people.now(),
    )
    session.add(change)
    await session.flush()
    if is_applied:
        await vocabulary.learn(row, change, session=session)
    return change


async def words_before(change: CorrectionChangeRow, row: TranscriptionRow, *, session: AsyncSession) -> str:
    """Return the words that a change replaced."""
    earlier = [one for one in await applied_changes(row.id, session=session) if one.id < change.id]
    return (earlier[-1].reference if earlier else None) or row.text or ""


async def last_change(transcription_id: int, *, session: AsyncSession) -> CorrectionChangeRow | None:
    """Return the last change of a message's words, whether applied or not."""
    found = await _changes(CorrectionChangeRow.transcription_id == transcription_id, session=session)
    return found[-1] if found else None


async def applied_changes(transcription_id: int, *, session: AsyncSession) -> Sequence[CorrectionChangeRow]:
    """Return the applied changes of a message's words, oldest first."""
    found = await _changes(CorrectionChangeRow.transcription_id == transcription_id, session=session)
    return [one for one in found if one.is_applied]


async def _changes(condition: Any, *, session: AsyncSession) -> Sequence[CorrectionChangeRow]:
    query = select(CorrectionChangeRow).where(condition).order_by(CorrectionChangeRow.id)
    return (await session.scalars(query)).all()


def _described(rows: Sequence[CorrectionChangeRow]) -> tuple[CorrectionChange, ...]:
    return tuple(CorrectionChange.model_validate(row, from_attributes=True) for row in rows)
