"""Count a reviewer's reviews, how often other people agreed with them, and the coins paid for them."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from glas.clients.review_bodies import ReviewerFigures
from glas.db.correction_tables import CorrectionChangeRow
from glas.db.review_tables import ReviewRow
from glas.db.tables import TransactionRow, TranscriptionRow
from glas.db_assist import people
from glas.domain.ledger import Reason
from glas.domain.reviews import Verdict

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


async def figures_of(tg_id: int, since: datetime | None, *, session: AsyncSession) -> ReviewerFigures:
    """Count a person's reviews, the agreements of other people with them, and the coins paid for them.

    Args:
        tg_id: Telegram id of the reviewer.
        since: only reviews from this time on are counted (a time with a time zone); None counts all reviews.
        session: the caller's database transaction.

    Raises:
        NotFoundError: there is no such person.
    """
    user, moment = await people.load(tg_id, session=session), since or _EVER
    is_compared = and_(ReviewRow.verdict != Verdict.SKIP.value, or_(ReviewRow.is_agreed, _is_judged_by_others()))
    counts = select(
        func.count(),
        func.coalesce(func.sum(case((ReviewRow.creation_datetime >= moment, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_compared, 1), else_=0)), 0),
        func.coalesce(func.sum(case((ReviewRow.is_agreed, 1), else_=0)), 0),
    ).where(ReviewRow.reviewer_id == user.id)
    n_reviews, n_since, n_compared, n_agreed = (await session.execute(counts)).one()
    paid = select(func.coalesce(func.sum(TransactionRow.amount_hundredths), 0)).where(
        TransactionRow.user_id == user.id,
        TransactionRow.reason == Reason.REVIEW.value,
        TransactionRow.date_of_transaction >= moment,
    )
    return ReviewerFigures(
        n_since=n_since,
        n_reviews=n_reviews,
        n_compared=n_compared,
        n_agreed=n_agreed,
        paid_since_hundredths=int((await session.scalars(paid)).one()),
        balance_hundredths=user.cash_hundredths,
    )


def _is_judged_by_others() -> ColumnElement[bool]:
    other, change, message = aliased(ReviewRow), aliased(CorrectionChangeRow), aliased(TranscriptionRow)
    by_reviewer = exists().where(
        other.transcription_id == ReviewRow.transcription_id,
        other.reviewer_id != ReviewRow.reviewer_id,
        other.verdict != Verdict.SKIP.value,
    )
    by_author = exists().where(
        change.transcription_id == ReviewRow.transcription_id,
        message.id == change.transcription_id,
        message.user_id == change.user_id,
        change.reference.is_not(None),
    )
    return or_(by_reviewer, by_author)
