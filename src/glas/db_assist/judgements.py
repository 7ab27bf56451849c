"""Find equal words among those that the author and the reviewers of a message gave independently.

The words are independent, because reviewers do not see the words of other people.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.db.correction_tables import CorrectionChangeRow
from glas.db.review_tables import ReviewRow
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import coins, messages, people
from glas.domain.errors import OverloadedError
from glas.domain.ledger import Reason, Refusal
from glas.domain.text import normalise
from glas.settings import DbAssistSettings

_RETRY_AFTER_S = 0.1


class ReviewedMessage:
    """A message with its reviews; its row and the rows of the people are locked.

    `lock_reviewed` makes this object. It first locks the rows of all people who may be paid, and then the row of the
    message.
    """

    def __init__(
        self, user: UserRow, row: TranscriptionRow, reviews: Sequence[ReviewRow], reviewers: dict[int, UserRow]
    ) -> None:
        self.user = user
        self.row = row
        self.reviews = reviews
        self._reviewers = reviewers

    def reviews_with(self, words: str) -> list[ReviewRow]:
        """Return the reviews that contain the given words; words are equal if they are equal under RU-NORM."""
        said = normalise(words)
        return [one for one in self.reviews if one.reference is not None and normalise(one.reference) == said]

    async def agree(self, reviews: Iterable[ReviewRow], *, settings: DbAssistSettings, session: AsyncSession) -> None:
        """Mark reviews as agreed, because another person gave the same words, and pay for each of them once."""
        amount, cap = coins.hundredths(settings.review_reward), coins.hundredths(settings.daily_coin_cap)
        for review in reviews:
            if review.is_agreed:
                continue
            review.is_agreed = True
            reviewer = self._reviewers[review.reviewer_id]
            # A person whose data was deleted has no account any more.
            if reviewer.tg_id is None or reviewer.is_banned:
                review.reward_refusal = Refusal.NOTHING_EARNED
                continue
            payment = await coins.pay(reviewer, self.row, Reason.REVIEW, amount, cap=cap, session=session)
            review.reward_refusal = payment.refusal


async def lock_reviewed(transcription_id: int, tg_id: int, *, session: AsyncSession) -> ReviewedMessage:
    """Lock the rows of a person, of the reviewers of a message, and of the message.

    Raises:
        UnknownPersonError: the person is not registered.
        ForbiddenError: the person is banned.
        NotFoundError: there is no such message.
        OverloadedError: another person reviewed the message during this call; if the call is repeated, it succeeds.
    """
    reviewed = select(ReviewRow.reviewer_id).where(ReviewRow.transcription_id == transcription_id)
    # All transactions lock people in the same order, so that two transactions never wait for each other.
    query = select(UserRow).where(or_(UserRow.tg_id == tg_id, UserRow.id.in_(reviewed))).order_by(UserRow.id)
    locked = {one.id: one for one in await session.scalars(query.with_for_update(key_share=True))}
    found = next((one for one in locked.values() if one.tg_id == tg_id), None)
    user = await people.lock(tg_id, session=session) if found is None else people.allowed(found)
    row = await messages.lock(transcription_id, session=session)
    mine = select(ReviewRow).where(ReviewRow.transcription_id == row.id).order_by(ReviewRow.id)
    reviews = (await session.scalars(mine)).all()
    if not {one.reviewer_id for one in reviews} <= locked.keys():
        raise OverloadedError("somebody else reviews this message now", retry_after_s=_RETRY_AFTER_S)
    return ReviewedMessage(user, row, reviews, locked)


async def author_words(row: TranscriptionRow, *, session: AsyncSession) -> str | None:
    """Return the last words that the author gave, even doubtful words, except words that the author took back.

    Return None if there are no such words.
    """
    mine = (CorrectionChangeRow.transcription_id == row.id, CorrectionChangeRow.user_id == row.user_id)
    changes = await session.scalars(select(CorrectionChangeRow).where(*mine).order_by(CorrectionChangeRow.id))
    last: CorrectionChangeRow | None = None
    for change in changes:
        if change.takes_back is None:
            last = change
        elif last is not None and change.takes_back == last.id:
            last = None
    return None if last is None else last.reference
