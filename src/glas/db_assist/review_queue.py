"""Choose the next message for a reviewer, and hold it for the reviewer for some minutes.

A reviewer gets only messages of people who agreed that people listen. Reviewers do not get their own messages, or
messages that another reviewer holds. A message is usually reviewed once. A message is reviewed a second time if it was
drawn for a check, and a third time if two people contradict each other. A reviewer does not know for which reason a
message is reviewed, and always sees the recognised text.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from glas.clients.review_bodies import ReviewItem
from glas.db.correction_tables import CorrectionChangeRow, CorrectionRow
from glas.db.review_tables import ReviewHoldRow, ReviewRow
from glas.db.session import insert
from glas.db.tables import ConsentRow, TranscriptionRow, UserRow
from glas.db_assist import people, reviews
from glas.domain.corrections import Rank
from glas.domain.errors import OverloadedError
from glas.domain.messages import MediaKind, Score, Status
from glas.domain.people import Purpose
from glas.domain.reviews import LONGEST_CHARS, LONGEST_S, MOST_REVIEWS, REVIEWERS_LISTEN_SINCE, Verdict
from glas.settings import DbAssistSettings

_CANDIDATES = 20
_RETRY_AFTER_S = 0.1

_DISPUTED, _DOUBTFUL, _UNSURE, _NEW_SPEAKER = 4.0, 3.0, 2.0, 2.0
_RATED: Final = {Score.BAD: 3.0, Score.NORMAL: 1.0, Score.NOT_RATED: 0.5, Score.BEST: 0.0}
"""Weights for the worth of a message, by its rating. Certainly wrong texts come before uncertain texts, and speakers
with few reviews before speakers with many.
"""


async def held(
    tg_id: int, besides: Sequence[int] = (), *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewItem | None:
    """Return the message that is held for a reviewer, and extend the hold; None if there is none.

    If two messages are held, return the message that is not `besides`. A reviewer holds at most two messages: the
    message that is reviewed now, and the next message.

    Raises:
        NotFoundError: the person does not exist.
        ForbiddenError: the person is not a reviewer.
    """
    reviewer = reviews.checked(await people.lock(tg_id, session=session))
    query = _open(reviewer.id).where(TranscriptionRow.id.in_(_held_by(reviewer.id)))
    others = query.where(TranscriptionRow.id.not_in(besides)).order_by(TranscriptionRow.id)
    row = (await session.scalars(others.limit(1))).one_or_none()
    return None if row is None else await _hold(row, reviewer, settings, session=session)


async def list_held(tg_id: int, *, session: AsyncSession) -> tuple[ReviewItem, ...]:
    """Return all messages that are held for a reviewer; nothing changes.

    Raises:
        NotFoundError: there is no such person.
        ForbiddenError: the person is not a reviewer.
    """
    reviewer = reviews.checked(people.allowed(await people.load(tg_id, session=session)))
    query = _open(reviewer.id).add_columns(ReviewHoldRow.expiry_datetime)
    query = query.join(ReviewHoldRow, ReviewHoldRow.transcription_id == TranscriptionRow.id)
    rows = await session.execute(
        query.where(TranscriptionRow.id.in_(_held_by(reviewer.id))).order_by(TranscriptionRow.id)
    )
    return tuple(_item(row, held_until) for row, held_until in rows)


async def choose(tg_id: int, *, settings: DbAssistSettings, session: AsyncSession) -> Sequence[int]:
    """Return the messages with the highest worth, the best first; if a check is due, checks come first.

    The query reads all messages, so it must not be part of a transaction that writes.

    Raises:
        NotFoundError: the person does not exist.
    """
    reviewer = await people.load(tg_id, session=session)
    found: list[int] = []
    if await _is_check_due(reviewer, settings.review_check_every, session=session):
        found += await session.scalars(_waiting(reviewer.id, is_check=True).limit(_CANDIDATES))
    found += await session.scalars(_waiting(reviewer.id, is_check=False).limit(_CANDIDATES))
    return found


async def hold(
    tg_id: int,
    chosen: Sequence[int],
    besides: Sequence[int] = (),
    *,
    settings: DbAssistSettings,
    session: AsyncSession,
) -> ReviewItem | None:
    """Hold the first of the chosen messages that no other reviewer has taken meanwhile.

    Returns:
        The message; None if `chosen` is empty.

    Raises:
        NotFoundError: the person does not exist.
        ForbiddenError: the person is not a reviewer.
        OverloadedError: other reviewers have taken all chosen messages; there may be further messages.
    """
    # The same reviewer may have asked twice at once.
    if (item := await held(tg_id, besides, settings=settings, session=session)) is not None:
        return item
    reviewer = await people.lock(tg_id, session=session)
    for number in chosen:
        if (item := await hold_one(number, reviewer, settings=settings, session=session)) is not None:
            return item
    if chosen:
        raise OverloadedError("others have just taken what was waiting", retry_after_s=_RETRY_AFTER_S)
    return None


async def hold_one(
    transcription_id: int, reviewer: UserRow, *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewItem | None:
    """Hold a message for a reviewer; return None if the reviewer may not review it, or if another reviewer holds it."""
    query = _open(reviewer.id).where(TranscriptionRow.id == transcription_id)
    row = (await session.scalars(query)).one_or_none()
    return None if row is None else await _hold(row, reviewer, settings, session=session)


async def _is_check_due(reviewer: UserRow, check_every: int, *, session: AsyncSession) -> bool:
    """Return whether the next message for a reviewer must be a check.

    On average, one in `check_every` messages is a check, in an irregular order; with 0 there are no checks. The result
    depends only on the number of messages that the reviewer has reviewed or holds.
    """
    if not check_every:
        return False
    n_reviews = await session.scalar(select(func.count()).where(ReviewRow.reviewer_id == reviewer.id)) or 0
    n_held = await session.scalar(select(func.count()).select_from(_held_by(reviewer.id).subquery())) or 0
    drawn = hashlib.sha256(f"glas review {reviewer.id} {n_reviews + n_held}".encode()).digest()[:8]
    return int.from_bytes(drawn) % check_every == 0


async def _hold(
    row: TranscriptionRow, reviewer: UserRow, settings: DbAssistSettings, *, session: AsyncSession
) -> ReviewItem | None:
    """Hold a message for a reviewer; return None if another reviewer has taken it."""
    held_until = people.now() + timedelta(minutes=settings.review_minutes)
    values = {"reviewer_id": reviewer.id, "expiry_datetime": held_until}
    free = or_(ReviewHoldRow.reviewer_id == reviewer.id, ReviewHoldRow.expiry_datetime <= people.now())
    statement = insert(session, ReviewHoldRow).values(transcription_id=row.id, **values)
    taken = statement.on_conflict_do_update(index_elements=["transcription_id"], set_=values, where=free)
    if (await session.scalars(taken.returning(ReviewHoldRow.transcription_id))).one_or_none() is None:
        return None
    return _item(row, held_until)


def _item(row: TranscriptionRow, held_until: datetime) -> ReviewItem:
    return ReviewItem(
        transcription_id=row.id,
        text=row.text or "",
        duration_s=row.duration_s or 0.0,
        bot_id=row.bot_id,
        file_id=row.file_id,
        audio_key=row.audio_key,
        held_until=held_until,
    )


def _held_by(reviewer_id: int) -> Select[int]:
    """Select the messages that are held for a reviewer."""
    return select(ReviewHoldRow.transcription_id).where(
        ReviewHoldRow.reviewer_id == reviewer_id, ReviewHoldRow.expiry_datetime > people.now()
    )


def _open(reviewer_id: int) -> Select[TranscriptionRow]:
    """Select the messages that a reviewer may review and has not reviewed."""
    own = select(ReviewRow.transcription_id).where(ReviewRow.reviewer_id == reviewer_id)
    foreign = select(ReviewRow.transcription_id).where(ReviewRow.verdict == Verdict.OTHER_VOICE.value)
    return select(TranscriptionRow).where(
        TranscriptionRow.status == Status.DONE.value,
        # Only voice messages are reviewed, because they show no face and their files have no title.
        TranscriptionRow.media_kind == MediaKind.VOICE.value,
        TranscriptionRow.is_forwarded.is_(False),
        TranscriptionRow.user_id != reviewer_id,
        TranscriptionRow.text != "",
        func.length(TranscriptionRow.text) <= LONGEST_CHARS,
        TranscriptionRow.duration_s <= LONGEST_S,
        _may_be_heard(),
        TranscriptionRow.id.not_in(own),
        # In these messages another person speaks, who has not agreed to anything.
        TranscriptionRow.id.not_in(foreign),
    )


def _may_be_heard() -> ColumnElement[bool]:
    """Make the condition that the speaker consents to training, by a text that says that people listen."""
    # Not correlated: the database finds these people once, and not for each message.
    training = select(func.max(ConsentRow.id)).where(ConsentRow.purpose == Purpose.TRAINING.value)
    answer = aliased(ConsentRow)
    agreed = select(answer.user_id).where(
        answer.id.in_(training.group_by(ConsentRow.user_id)),
        answer.granted.is_(True),
        answer.text_version >= REVIEWERS_LISTEN_SINCE,
    )
    return TranscriptionRow.user_id.in_(agreed)


def _waiting(reviewer_id: int, *, is_check: bool) -> Select[int]:
    """Select the messages that wait for a review, those with the highest worth first.

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
        _open(reviewer_id)
        .with_only_columns(TranscriptionRow.id)
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
    """Find, for each sound, the first message that was reviewed.

    Other messages with the same sound are not reviewed.
    """
    heard = aliased(TranscriptionRow)
    query = select(heard.fingerprint, func.min(heard.id).label("first_id"))
    joined = query.join(ReviewRow, ReviewRow.transcription_id == heard.id)
    return joined.where(heard.fingerprint.is_not(None)).group_by(heard.fingerprint).cte("heard")


def _doubtful_waits() -> ColumnElement[bool]:
    """Make the condition that a message has a doubtful correction."""
    doubtful = select(CorrectionChangeRow.transcription_id).where(CorrectionChangeRow.rank == Rank.DOUBTFUL.value)
    return TranscriptionRow.id.in_(doubtful)
