"""Choose for a reviewer the messages whose review is most useful.

The usefulness of a review is called the *worth* of the message. A *check* is a second review, by another person, of a
message that one person has judged. Each choice reads all messages in the database. So if many messages wait for a
review, the choice is stored in memory for some minutes, and the same reviewer gets the next messages from this stored
choice. If the worth of a message increases while the choice is stored, the increase has an effect only on the next
choice.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CTE, ColumnElement, Select, and_, case, exists, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from glas.db.correction_tables import CorrectionChangeRow, CorrectionRow
from glas.db.review_tables import ReviewHoldRow, ReviewRow
from glas.db.session import dialect
from glas.db.tables import SecondHypothesisRow, TranscriptionRow, UserRow
from glas.db_assist import people
from glas.db_assist.review_queue import held_by, open_messages
from glas.db_assist.review_words import Found, ranked
from glas.domain.corrections import Rank
from glas.domain.messages import Score
from glas.domain.reviews import MOST_REVIEWS, Verdict
from glas.settings import DbAssistSettings

_CANDIDATES: Final = 20
_MANY: Final = 200
_LIFE_S: Final = 300.0

_DISPUTED, _DOUBTFUL, _UNSURE, _NEW_SPEAKER = 4.0, 3.0, 2.0, 2.0
_RATED: Final = {Score.BAD: 3.0, Score.NORMAL: 1.0, Score.NOT_RATED: 0.5, Score.BEST: 0.0}
"""Numbers that are added to the worth of a message, depending on its score.

The worth is a sum of such numbers. They are chosen so that texts that are certainly wrong come before uncertain texts,
and speakers with few reviewed messages before speakers with many. `glas.db_assist.review_words` adds the numbers that
depend on the words.
"""


@dataclass(frozen=True)
class _Choice:
    """The messages that a reviewer should review next, and when these messages were chosen.

    Attributes:
        ids: ids of the messages, the highest worth first.
        last_review: id of the last review before the choice; messages that were reviewed after this review do not wait
            any more.
        moment: the time of the choice, with a time zone.
        until_s: the time until which the choice is used, in seconds of the monotonic clock.
    """

    ids: tuple[int, ...]
    last_review: int
    moment: datetime
    until_s: float


class ReviewChoices:
    """Makes choices of messages and of checks.

    If many messages wait for a review, the last choices for each reviewer are stored.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bool], _Choice] = {}

    async def choose(self, tg_id: int, *, settings: DbAssistSettings, session: AsyncSession) -> Sequence[int]:
        """Return the ids of the messages with the highest worth, the highest first.

        If a check is due, the ids of the messages for a check come before the ids of other messages.

        This method may read all messages, which takes long. Therefore it must not be called in a transaction that
        writes.

        Raises:
            NotFoundError: the person does not exist.
        """
        reviewer = await people.load(tg_id, session=session)
        found: list[int] = []
        if await _is_check_due(reviewer, settings.review_check_every, session=session):
            found += await self._best(reviewer.id, is_check=True, session=session)
        found += await self._best(reviewer.id, is_check=False, session=session)
        return found

    async def _best(self, reviewer_id: int, *, is_check: bool, session: AsyncSession) -> Sequence[int]:
        kept = self._kept.get((reviewer_id, is_check))
        if kept is not None and time.monotonic() < kept.until_s:
            waiting = set(await session.scalars(_still_waiting(reviewer_id, kept)))
            found = [number for number in kept.ids if number in waiting]
            # If no check is left, the reviewer gets another message. If no such message is left, all messages are
            # searched again.
            if found or is_check:
                return found[:_CANDIDATES]
        moment = people.now()
        last_review = await session.scalar(select(func.max(ReviewRow.id))) or 0
        ids = await _all_waiting(reviewer_id, is_check=is_check, session=session)
        self._kept.pop((reviewer_id, is_check), None)
        # If many messages wait, the choice of checks is also kept, even if it contains few checks.
        if len(ids) == _MANY or (is_check and (reviewer_id, False) in self._kept):
            until_s = time.monotonic() + _LIFE_S
            self._kept[reviewer_id, is_check] = _Choice(tuple(ids), last_review, moment, until_s)
        return ids[:_CANDIDATES]


async def _is_check_due(reviewer: UserRow, check_every: int, *, session: AsyncSession) -> bool:
    """Return whether the next review must be a check.

    On average, one of `check_every` reviews is a check, at irregular intervals.

    The result stays the same until the number of messages that the reviewer has reviewed or holds changes.
    """
    if not check_every:
        return False
    n_reviews = await session.scalar(select(func.count()).where(ReviewRow.reviewer_id == reviewer.id)) or 0
    n_held = await session.scalar(select(func.count()).select_from(held_by(reviewer.id).subquery())) or 0
    drawn = hashlib.sha256(f"glas review {reviewer.id} {n_reviews + n_held}".encode()).digest()[:8]
    return int.from_bytes(drawn) % check_every == 0


async def _all_waiting(reviewer_id: int, *, is_check: bool, session: AsyncSession) -> Sequence[int]:
    """Return the ids of the messages with the highest worth among all that wait for a review, the highest first."""
    query = _waiting(reviewer_id, is_check=is_check).limit(_MANY)
    if dialect(session) != "postgresql":
        return await ranked([Found(*row) for row in await session.execute(query)], session=session)
    # PostgreSQL estimates that only a thousandth of the messages is found. So it would use a nested loop, and read all
    # consents again for each message.
    await session.execute(text("SET LOCAL enable_nestloop = off"))
    rows = (await session.execute(query)).all()
    await session.execute(text("SET LOCAL enable_nestloop = on"))
    return await ranked([Found(*row) for row in rows], session=session)


def _still_waiting(reviewer_id: int, kept: _Choice) -> Select[int]:
    """Select the messages of a choice that nobody has reviewed or corrected since the choice, and that are not held."""
    held_now = select(ReviewHoldRow.transcription_id).where(ReviewHoldRow.expiry_datetime > people.now())
    heard = aliased(TranscriptionRow)
    reviewed = (
        select(ReviewRow.id)
        .join(heard, heard.id == ReviewRow.transcription_id)
        .where(
            ReviewRow.id > kept.last_review,
            or_(heard.id == TranscriptionRow.id, heard.fingerprint == TranscriptionRow.fingerprint),
        )
    )
    corrected = select(CorrectionRow.id).where(
        CorrectionRow.transcription_id == TranscriptionRow.id, CorrectionRow.changed_datetime > kept.moment
    )
    return (
        open_messages(reviewer_id)
        .with_only_columns(TranscriptionRow.id)
        .where(
            TranscriptionRow.id.in_(kept.ids),
            TranscriptionRow.id.not_in(held_now),
            ~exists(reviewed.correlate(TranscriptionRow)),
            ~exists(corrected.correlate(TranscriptionRow)),
        )
    )


def _waiting(reviewer_id: int, *, is_check: bool) -> Select[int, float, str | None, str | None]:
    """Select the messages that wait for a review, sorted by the part of their worth that does not depend on words.

    The columns are those of `Found`.

    With `is_check`, select the messages that exactly one person has judged.
    """
    judged = _judged()
    spoken = _reviewed_speakers()
    heard = _reviewed_audio()
    n_judged, n_agreed = func.coalesce(judged.c.n_judged, 0), func.coalesce(judged.c.n_agreed, 0)
    rank = func.coalesce(CorrectionRow.rank, Rank.DOUBTFUL.value)
    n_people = n_judged + case((rank == Rank.AUTHOR.value, 1), else_=0)
    is_open = and_(n_agreed == 0, rank != Rank.AGREED.value)
    disputed = and_(is_open, n_people >= 2)  # noqa: PLR2004 - two people
    wanted = (
        and_(is_open, n_people == 1) if is_check else or_(disputed, and_(n_judged == 0, rank == Rank.DOUBTFUL.value))
    )
    held_now = select(ReviewHoldRow.transcription_id).where(ReviewHoldRow.expiry_datetime > people.now())
    n_of_speaker = func.coalesce(spoken.c.n_reviews, 0)
    worth = (
        case((disputed, _DISPUTED), else_=0.0)
        + case((_doubtful_waits(), _DOUBTFUL), else_=0.0)
        + case({score.value: weight for score, weight in _RATED.items()}, value=TranscriptionRow.score, else_=0.0)
        + _UNSURE * (1.0 - func.coalesce(TranscriptionRow.confidence, 0.5))
        + literal(_NEW_SPEAKER) / (1.0 + n_of_speaker)
    )
    return (
        open_messages(reviewer_id, among_all=True)
        .with_only_columns(TranscriptionRow.id, worth, TranscriptionRow.text, SecondHypothesisRow.text)
        .outerjoin(SecondHypothesisRow, SecondHypothesisRow.transcription_id == TranscriptionRow.id)
        .outerjoin(CorrectionRow, CorrectionRow.transcription_id == TranscriptionRow.id)
        .outerjoin(judged, judged.c.transcription_id == TranscriptionRow.id)
        .outerjoin(spoken, spoken.c.user_id == TranscriptionRow.user_id)
        .outerjoin(heard, heard.c.fingerprint == TranscriptionRow.fingerprint)
        .where(
            wanted,
            func.coalesce(judged.c.n_reviews, 0) < MOST_REVIEWS,
            or_(heard.c.first_id.is_(None), heard.c.first_id == TranscriptionRow.id),
            TranscriptionRow.id.not_in(held_now),
        )
        .order_by(worth.desc(), TranscriptionRow.id)
    )


def _judged() -> CTE:
    """Count the reviews of each message: all reviews, reviews with a verdict other than `skip`, and agreed reviews."""
    said = case((ReviewRow.verdict != Verdict.SKIP.value, 1), else_=0)
    counts = select(
        ReviewRow.transcription_id,
        func.count().label("n_reviews"),
        func.sum(said).label("n_judged"),
        func.sum(case((ReviewRow.is_agreed, 1), else_=0)).label("n_agreed"),
    )
    return counts.group_by(ReviewRow.transcription_id).cte("judged")


def _reviewed_speakers() -> CTE:
    """Count the reviews of each speaker's messages."""
    spoken = aliased(TranscriptionRow)
    query = select(spoken.user_id, func.count().label("n_reviews"))
    return query.join(ReviewRow, ReviewRow.transcription_id == spoken.id).group_by(spoken.user_id).cte("spoken")


def _reviewed_audio() -> CTE:
    """Find, for each fingerprint of sound, the first of the messages that have this fingerprint and were reviewed.

    Other messages with the same fingerprint are not reviewed.
    """
    heard = aliased(TranscriptionRow)
    query = select(heard.fingerprint, func.min(heard.id).label("first_id"))
    joined = query.join(ReviewRow, ReviewRow.transcription_id == heard.id)
    return joined.where(heard.fingerprint.is_not(None)).group_by(heard.fingerprint).cte("heard")


def _doubtful_waits() -> ColumnElement[bool]:
    """Make the SQL condition that a message has a doubtful correction that was not applied."""
    doubtful = select(CorrectionChangeRow.transcription_id).where(CorrectionChangeRow.rank == Rank.DOUBTFUL.value)
    return TranscriptionRow.id.in_(doubtful)
