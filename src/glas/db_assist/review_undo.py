"""Delete a reviewer's last review, for instance if the reviewer pressed a wrong key.

This is possible only while no other person has judged the message. Otherwise a reviewer could try several reviews,
until one of the reviews agrees with the review of another person and is paid.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.review_bodies import TAKE_BACK_MINUTES, ReviewItem
from glas.db.review_tables import ReviewHoldRow, ReviewRow
from glas.db_assist import corrections, messages, people, review_queue, reviews
from glas.db_assist.judgements import ReviewedMessage, author_words, lock_reviewed
from glas.domain.errors import ConflictError
from glas.domain.reviews import Verdict
from glas.settings import DbAssistSettings

_WITHIN: Final = timedelta(minutes=TAKE_BACK_MINUTES)


async def take_back(
    transcription_id: int, tg_id: int, *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewItem:
    """Delete a reviewer's last review, restore the words that it replaced, and hold the message for the reviewer again.

    If the call is repeated, there is no review any more, and the held message is returned.

    Raises:
        NotFoundError: there is no such message or person.
        ForbiddenError: the person is not a reviewer.
        ConflictError: the review is not the person's last one or is too old, another person has judged the message, or
            the message is held for another person.
    """
    reviewed = await lock_reviewed(transcription_id, tg_id, session=session)
    reviews.checked(reviewed.user)
    mine = next((one for one in reviewed.reviews if one.reviewer_id == reviewed.user.id), None)
    if mine is None:
        hold = await session.get(ReviewHoldRow, reviewed.row.id)
        if hold is None or hold.reviewer_id != reviewed.user.id:
            raise ConflictError("this reviewer has not reviewed this message")
    else:
        await _check(reviewed, mine, session=session)
        await session.delete(mine)
        await session.flush()
        if mine.verdict != Verdict.SKIP:
            await messages.mark_changed(reviewed.row, session=session)
        if mine.reference is not None:
            await corrections.take_back_review(reviewed.row, reviewed.user, mine.creation_datetime, session=session)
    item = await review_queue.hold_one(reviewed.row.id, reviewed.user, settings=settings, session=session)
    if item is None:
        raise ConflictError("another reviewer holds this message now, or it may not be reviewed any more")
    return item


async def _check(reviewed: ReviewedMessage, mine: ReviewRow, *, session: AsyncSession) -> None:
    last = select(func.max(ReviewRow.id)).where(ReviewRow.reviewer_id == reviewed.user.id)
    if await session.scalar(last) != mine.id or people.now() - mine.creation_datetime > _WITHIN:
        raise ConflictError(f"expected the last review of this reviewer, of the last {TAKE_BACK_MINUTES} minutes")
    others = [one for one in reviewed.reviews if one is not mine and one.verdict != Verdict.SKIP]
    if mine.is_agreed or others or await author_words(reviewed.row, session=session) is not None:
        raise ConflictError("somebody else has judged this message, too")
