"""Read the ledger, check it, and count people, messages, ratings and payments of the whole system."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import Discrepancy, LedgerCheck, Statistics
from glas.clients.rating_calls import ModelRatings
from glas.db.correction_tables import CorrectionRow
from glas.db.tables import TransactionRow, TranscriptionRow, UserRow
from glas.db_assist import people
from glas.domain.ledger import Transaction
from glas.domain.messages import Score, Status
from glas.domain.model_ref import ModelRef

_NameT = TypeVar("_NameT", int, str)


async def transactions_of(
    user_id: int, *, since: datetime | None = None, until: datetime | None = None, session: AsyncSession
) -> tuple[Transaction, ...]:
    """Return a person's ledger entries from `since` up to, but not including, `until`; the oldest first."""
    query = select(TransactionRow).where(TransactionRow.user_id == user_id).order_by(TransactionRow.id)
    if since is not None:
        query = query.where(TransactionRow.date_of_transaction >= since)
    if until is not None:
        query = query.where(TransactionRow.date_of_transaction < until)
    return tuple(Transaction.model_validate(row, from_attributes=True) for row in await session.scalars(query))


async def check(*, session: AsyncSession) -> LedgerCheck:
    """Find people whose cash differs from the sum of their ledger entries."""
    total = func.sum(TransactionRow.amount_hundredths)
    sums = select(TransactionRow.user_id, total.label("total")).group_by(TransactionRow.user_id).subquery()
    owed = func.coalesce(sums.c.total, 0)
    wrong = (
        select(UserRow.id, UserRow.cash_hundredths, owed)
        .outerjoin(sums, sums.c.user_id == UserRow.id)
        .where(UserRow.cash_hundredths != owed)
        .order_by(UserRow.id)
    )
    # Each statement sees one state of the database; the counts may be of slightly different states.
    found = (await session.execute(wrong)).all()
    return LedgerCheck(
        n_users=await _count(UserRow, session=session),
        n_transactions=await _count(TransactionRow, session=session),
        discrepancies=tuple(
            Discrepancy(user_id=user_id, cash_hundredths=cash, ledger_hundredths=int(ledger))
            for user_id, cash, ledger in found
        ),
    )


async def statistics(*, session: AsyncSession) -> Statistics:
    """Count people, messages, ratings, corrections and payments, for administrators."""
    statuses = await session.execute(select(TranscriptionRow.status, func.count()).group_by(TranscriptionRow.status))
    done = TranscriptionRow.status == Status.DONE.value
    scores = await session.execute(
        select(TranscriptionRow.score, func.count()).where(done).group_by(TranscriptionRow.score)
    )
    recent = TranscriptionRow.creation_datetime > people.now() - people.DAY
    active = select(func.count(TranscriptionRow.user_id.distinct())).where(recent)
    audio_s = select(func.coalesce(func.sum(TranscriptionRow.duration_s), 0.0))
    paid = select(func.coalesce(func.sum(TransactionRow.amount_hundredths), 0))
    corrected = select(func.count()).where(CorrectionRow.reference.is_not(None))
    known = select(func.count()).select_from(UserRow).where(UserRow.tg_id.is_not(None))
    return Statistics(
        n_users=(await session.scalars(known)).one(),
        n_active_users=(await session.scalars(active)).one(),
        n_transcriptions=_counted([status.value for status in Status], statuses.all()),
        n_scores=_counted([score.value for score in Score], scores.all()),
        n_corrections=(await session.scalars(corrected)).one(),
        audio_s=(await session.scalars(audio_s)).one(),
        paid_hundredths=int((await session.scalars(paid)).one()),
    )


async def ratings_of(model: ModelRef, *, limit: int, session: AsyncSession) -> ModelRatings:
    """Return the last ratings of texts by a version of a model, in the order in which their messages came."""
    row = TranscriptionRow
    of_model = (row.model == model.name, row.model_version == model.version, row.score != Score.NOT_RATED)
    newest = await session.scalars(select(row.score).where(*of_model).order_by(row.id.desc()).limit(limit))
    return ModelRatings(scores=tuple(reversed(newest.all())))


def _counted(names: Iterable[_NameT], found: Iterable[tuple[_NameT, int]]) -> dict[_NameT, int]:
    """Return the count in `found` for each name in `names`; 0 for names that are not in `found`."""
    return dict.fromkeys(names, 0) | dict(found)


async def _count(table: type[TransactionRow | UserRow], *, session: AsyncSession) -> int:
    return (await session.scalars(select(func.count()).select_from(table))).one()
