"""Store a review: update the reference of the message, find reviews that agree, and pay for these reviews.

A reviewer sees the recognised text but not the words of other people. So if two people give the same words
independently, the words are probably right, and both are paid.
"""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.held_bodies import ReviewRecord
from glas.clients.review_bodies import Review, ReviewResult
from glas.db.review_tables import ReviewHoldRow, ReviewRow
from glas.db.tables import UserRow
from glas.db_assist import audit, coins, correction_history, corrections, messages, people
from glas.db_assist.changes import last_consent
from glas.db_assist.judgements import ReviewedMessage, author_words, lock_reviewed
from glas.db_assist.ratings import refusal_of
from glas.domain.audit import Action
from glas.domain.corrections import Rank
from glas.domain.errors import ConflictError, ForbiddenError, ImplausibleCorrectionError
from glas.domain.ledger import Reason, Refusal
from glas.domain.people import Purpose, Role
from glas.domain.reviews import Verdict
from glas.domain.text import normalise
from glas.settings import DbAssistSettings


async def set_reviewer(tg_id: int, *, is_reviewer: bool, by: int | None = None, session: AsyncSession) -> UserRow:
    """Appoint or dismiss a reviewer; the holds of a dismissed reviewer end.

    `by` is the Telegram id of the administrator, which the audit records.
    """
    row = await people.load(tg_id, session=session, locked=True)
    before, row.is_reviewer = row.is_reviewer, is_reviewer
    values = {"is_reviewer": before}, {"is_reviewer": is_reviewer}
    await audit.write(by, Action.REVIEWER, subject=row, before=values[0], after=values[1], session=session)
    if not is_reviewer:
        await free_held(row.id, session=session)
    return row


def checked(user: UserRow) -> UserRow:
    """Return the person unchanged if they may review.

    Raises:
        ForbiddenError: the person is neither a reviewer nor an administrator.
    """
    if not (user.is_reviewer or user.role == Role.ADMIN):
        raise ForbiddenError("only a reviewer may review")
    return user


async def answer(
    transcription_id: int, wanted: Review, *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewResult:
    """Store a review of the message that is held for the reviewer.

    If another person has independently given the same words, these words become an agreed reference. Otherwise, the
    words of the review become a reference with the rank `reviewer`, if the message has no reference yet. If the message
    has a reference with other words, two people contradict each other. Then the reference stays, and a third person
    reviews the message.

    Raises:
        NotFoundError: the message or the person does not exist.
        ForbiddenError: the person is not a reviewer.
        ConflictError: the message is not held for this reviewer or was already reviewed by them, or its speaker has
            withdrawn the consent.
        ImplausibleCorrectionError: the review contains no word, or more than can be said in the recording.
    """
    reviewed = await lock_reviewed(transcription_id, wanted.tg_id, session=session)
    checked(reviewed.user)
    before = next((one for one in reviewed.reviews if one.reviewer_id == reviewed.user.id), None)
    if before is not None:
        if not _says(before, wanted):
            raise ConflictError("this reviewer has already given another verdict about this message")
        return await _result(reviewed, before, session=session)
    hold = await _own_hold(reviewed, session=session)
    mine = ReviewRow(
        transcription_id=reviewed.row.id,
        reviewer_id=reviewed.user.id,
        verdict=wanted.verdict.value,
        reference=_words(reviewed, wanted, settings),
        creation_datetime=people.now(),
        is_agreed=False,
    )
    same = await _same(reviewed, mine, session=session)
    session.add(mine)
    await session.delete(hold)
    await session.flush()
    if wanted.verdict.gives_words:
        await _let_words_count(reviewed, mine, is_agreed=same is not None, session=session)
    elif wanted.verdict is not Verdict.SKIP:
        await messages.mark_changed(reviewed.row, session=session)
    if same is not None:
        await reviewed.agree([*same, mine], settings=settings, session=session)
    await session.flush()
    return await _result(reviewed, mine, session=session)


def _says(review: ReviewRow, wanted: Review) -> bool:
    """Return whether a stored review has the same verdict and words as the new review."""
    same_words = wanted.reference is None or review.reference == wanted.reference.strip()
    return review.verdict == wanted.verdict and same_words


async def _own_hold(reviewed: ReviewedMessage, *, session: AsyncSession) -> ReviewHoldRow:
    hold = await session.get(ReviewHoldRow, reviewed.row.id)
    if hold is None or hold.reviewer_id != reviewed.user.id:
        raise ConflictError("this reviewer does not hold this message any more")
    speaker = select(last_consent(UserRow.id, Purpose.TRAINING)).where(UserRow.id == reviewed.row.user_id)
    if not await session.scalar(speaker):
        raise ConflictError("the speaker of this message does not consent to training any more")
    return hold


def _words(reviewed: ReviewedMessage, wanted: Review, settings: DbAssistSettings) -> str | None:
    """Return the words that a new review contains; None if its verdict is given without words."""
    if not wanted.verdict.gives_words:
        return None
    words = (wanted.reference or reviewed.row.text or "").strip()
    n_letters = len(normalise(words))
    if not n_letters:
        raise ImplausibleCorrectionError("expected words, got none", param="reference")
    most = settings.correction_max_chars_per_s * max(reviewed.row.duration_s or 0.0, 1.0)
    if n_letters > most:
        raise ImplausibleCorrectionError(f"expected at most {most:.0f} letters, got {n_letters}", param="reference")
    return words


async def _same(reviewed: ReviewedMessage, mine: ReviewRow, *, session: AsyncSession) -> list[ReviewRow] | None:
    """Return the other reviews of the message that have the same verdict and words as a new review.

    The list is empty if only the author of the message gave the same words. None means that nobody gave the same words.
    """
    if mine.reference is not None:
        found = reviewed.reviews_with(mine.reference)
        author = await author_words(reviewed.row, session=session)
        is_author = author is not None and normalise(author) == normalise(mine.reference)
        return found if found or is_author else None
    found = [one for one in reviewed.reviews if one.verdict == mine.verdict != Verdict.SKIP]
    return found or None


async def _let_words_count(
    reviewed: ReviewedMessage, mine: ReviewRow, *, is_agreed: bool, session: AsyncSession
) -> None:
    """Make the words of a review the current words of the message, unless the message has a better reference."""
    row, words = reviewed.row, mine.reference or ""
    if not is_agreed and row.rank not in (None, Rank.DOUBTFUL):
        return
    if row.rank == Rank.AGREED:
        return
    if row.corrected_text is not None and normalise(row.corrected_text) == normalise(words):
        words = row.corrected_text
    rank = Rank.AGREED if is_agreed else Rank.REVIEWER
    await correction_history.add_change(row, reviewed.user, words, rank, session=session)
    await corrections.let_stand(row, words, rank, refusal=Refusal.DOUBTFUL, session=session)


async def _result(reviewed: ReviewedMessage, review: ReviewRow, *, session: AsyncSession) -> ReviewResult:
    payment = await coins.paid_before(reviewed.user, reviewed.row, Reason.REVIEW, session=session)
    return ReviewResult(
        transcription_id=reviewed.row.id,
        rank=None if reviewed.row.rank is None else Rank(reviewed.row.rank),
        is_agreed=review.is_agreed,
        paid_hundredths=payment.paid_hundredths,
        balance_hundredths=reviewed.user.cash_hundredths,
        refusal_reason=refusal_of(review.reward_refusal),
    )


async def reviews_of_person(user_id: int, *, session: AsyncSession) -> tuple[ReviewRecord, ...]:
    """Return the reviews by a person, without their words."""
    rows = await session.scalars(select(ReviewRow).where(ReviewRow.reviewer_id == user_id).order_by(ReviewRow.id))
    return tuple(ReviewRecord.model_validate(row, from_attributes=True) for row in rows)


async def free_held(user_id: int, *, session: AsyncSession) -> None:
    """End the holds of a person, so that the messages can be held for other reviewers."""
    await session.execute(delete(ReviewHoldRow).where(ReviewHoldRow.reviewer_id == user_id))
