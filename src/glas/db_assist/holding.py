"""Count and read the data that is stored about one person, and read the list of people page by page."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from glas.clients.db_assist_bodies import Page
from glas.clients.held_bodies import ConsentRecord, Holding, PersonSummary
from glas.db.correction_tables import CorrectionChangeRow
from glas.db.tables import TransactionRow, TranscriptionRow, UserRow
from glas.db.vocabulary_tables import VocabularyWordRow
from glas.db_assist import messages, people
from glas.domain.errors import NotFoundError
from glas.domain.ledger import Reason, Transaction
from glas.domain.messages import Status, Transcription

_ItemT = TypeVar("_ItemT")
_RowT = TypeVar("_RowT", TranscriptionRow, TransactionRow, UserRow)


async def holding(tg_id: int, *, session: AsyncSession) -> Holding:
    """Return the profile of a person, the consents, and the numbers of stored recordings, corrections and words.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    user = await people.load(tg_id, session=session)
    day = people.now() - people.DAY
    row = TranscriptionRow
    is_recent = row.creation_datetime > day
    query = select(
        func.count(),
        func.count().filter(row.status == Status.FAILED.value),
        func.coalesce(func.sum(row.duration_s), 0.0),
        func.min(row.creation_datetime),
        func.max(row.creation_datetime),
        func.count().filter(is_recent),
        func.coalesce(func.sum(row.duration_s).filter(is_recent), 0.0),
    ).where(row.user_id == user.id)
    count, failed, audio_s, first, last, n_day, day_s = (await session.execute(query)).one()
    earned = select(func.coalesce(func.sum(TransactionRow.amount_hundredths), 0)).where(
        TransactionRow.user_id == user.id,
        TransactionRow.reason != Reason.GRANT.value,
        TransactionRow.date_of_transaction > day,
    )
    changes = select(func.count()).where(CorrectionChangeRow.user_id == user.id)
    words = select(func.count()).where(VocabularyWordRow.user_id == user.id)
    return Holding(
        user=people.as_user(user),
        consents=tuple(ConsentRecord.model_validate(one, from_attributes=True) for one in user.consent_history),
        n_messages=count,
        n_failed=failed,
        n_corrections=(await session.scalars(changes)).one(),
        n_words=(await session.scalars(words)).one(),
        audio_s=audio_s,
        first_datetime=first,
        last_datetime=last,
        n_messages_day=n_day,
        audio_day_s=day_s,
        earned_day_hundredths=int((await session.scalars(earned)).one()),
    )


async def messages_of(tg_id: int, before: int | None, limit: int, *, session: AsyncSession) -> Page[Transcription]:
    """Return a person's messages with ids below `before`, the newest first.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    user = await people.load(tg_id, session=session)
    query = _newest_of(TranscriptionRow, before, limit).where(TranscriptionRow.user_id == user.id)
    rows = (await session.scalars(query.options(joinedload(TranscriptionRow.correction)))).all()
    return _page([(row.id, messages.as_transcription(row)) for row in rows], limit)


async def message_of(user_id: int, transcription_id: int, *, session: AsyncSession) -> Transcription:
    """Return a message if it belongs to this person.

    Raises:
        NotFoundError: there is no such message, or it belongs to another person.
    """
    message = await messages.find(transcription_id, session=session)
    if message.user_id != user_id:
        raise NotFoundError("expected a message of this person", param="transcription_id")
    return message


async def entries_of(tg_id: int, before: int | None, limit: int, *, session: AsyncSession) -> Page[Transaction]:
    """Return a person's ledger entries with ids below `before`, the newest first.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    user = await people.load(tg_id, session=session)
    query = _newest_of(TransactionRow, before, limit).where(TransactionRow.user_id == user.id)
    rows = (await session.scalars(query)).all()
    return _page([(row.id, Transaction.model_validate(row, from_attributes=True)) for row in rows], limit)


async def entries_about(transcription_id: int, *, session: AsyncSession) -> tuple[Transaction, ...]:
    """Return the payments for a message (to its speaker and to reviewers), the oldest first."""
    query = select(TransactionRow).where(TransactionRow.transcription_id == transcription_id)
    rows = await session.scalars(query.order_by(TransactionRow.id))
    return tuple(Transaction.model_validate(row, from_attributes=True) for row in rows)


async def people_page(
    number: int | None, before: int | None, limit: int, *, session: AsyncSession
) -> Page[PersonSummary]:
    """Return people, the newest first.

    Args:
        number: return only people whom this number identifies: as their Telegram id, as the number of their row, or as
            the number of one of their messages. None returns everybody.
        before: return only people whose rows have smaller numbers than this; None begins with the newest row.
        limit: largest number of people to return.
        session: the caller's database transaction.
    """
    query = _newest_of(UserRow, before, limit).where(UserRow.tg_id.is_not(None))
    if number is not None:
        sender = select(TranscriptionRow.user_id).where(TranscriptionRow.id == number).scalar_subquery()
        query = query.where(or_(UserRow.tg_id == number, UserRow.id == number, UserRow.id == sender))
    rows = (await session.scalars(query.options(selectinload(UserRow.consent_history)))).all()
    counted = await _counted([row.id for row in rows], session=session)
    return _page(
        [
            (
                row.id,
                PersonSummary(
                    user=people.as_user(row),
                    n_messages=counted.get(row.id, (0, None))[0],
                    last_datetime=counted.get(row.id, (0, None))[1],
                ),
            )
            for row in rows
        ],
        limit,
    )


async def _counted(user_ids: list[int], *, session: AsyncSession) -> dict[int, tuple[int, datetime | None]]:
    """Return the number of messages and the time of the last message, for those of the people who have messages."""
    query = (
        select(TranscriptionRow.user_id, func.count(), func.max(TranscriptionRow.creation_datetime))
        .where(TranscriptionRow.user_id.in_(user_ids))
        .group_by(TranscriptionRow.user_id)
    )
    return {user_id: (count, last) for user_id, count, last in await session.execute(query)}


def _newest_of(row: type[_RowT], before: int | None, limit: int) -> Select[_RowT]:
    """Select the rows of a page, the newest first, and one more row, which shows whether there is a next page."""
    query = select(row).order_by(row.id.desc()).limit(limit + 1)
    return query if before is None else query.where(row.id < before)


def _page(found: list[tuple[int, _ItemT]], limit: int) -> Page[Any]:
    shown = found[:limit]
    return Page(
        items=tuple(item for _, item in shown),
        next_cursor=str(shown[-1][0]) if shown else "",
        has_more=len(found) > limit,
    )
