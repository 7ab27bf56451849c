"""Hold (reserve) the next message for a reviewer for some minutes.

A reviewer gets only messages of people who agreed that other people listen to their recordings. Reviewers do not get
their own messages, or messages that are held for another reviewer. A message is usually reviewed once. A message is
reviewed a second time if it was chosen for a check, and a third time if two people contradict each other. The reviewer
is not told why a message is reviewed, and always sees the recognised text.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from glas.clients.review_bodies import ReviewItem
from glas.db.review_tables import ReviewHoldRow, ReviewRow
from glas.db.session import insert
from glas.db.tables import ConsentRow, TranscriptionRow, UserRow
from glas.db_assist import people, reviews
from glas.domain.errors import OverloadedError
from glas.domain.messages import MediaKind, Status
from glas.domain.people import Purpose
from glas.domain.reviews import LONGEST_CHARS, LONGEST_S, REVIEWERS_LISTEN_SINCE, Verdict
from glas.settings import DbAssistSettings

_RETRY_AFTER_S = 0.1


async def held(
    tg_id: int, besides: Sequence[int] = (), *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewItem | None:
    """Return a message that is held for a reviewer, and extend the hold; None if no message is held.

    Messages whose ids are in `besides` are not returned. At most two messages are held for a reviewer: the message that
    is being reviewed now, and the next message.

    Raises:
        NotFoundError: the person does not exist.
        ForbiddenError: the person is not a reviewer.
    """
    reviewer = reviews.checked(await people.lock(tg_id, session=session))
    query = open_messages(reviewer.id).where(TranscriptionRow.id.in_(held_by(reviewer.id)))
    others = query.where(TranscriptionRow.id.not_in(besides)).order_by(TranscriptionRow.id)
    row = (await session.scalars(others.limit(1))).one_or_none()
    return None if row is None else await _hold(row, reviewer, settings, session=session)


async def list_held(tg_id: int, *, session: AsyncSession) -> tuple[ReviewItem, ...]:
    """Return all messages that are held for a reviewer; unlike `held`, do not extend the holds.

    Raises:
        NotFoundError: there is no such person.
        ForbiddenError: the person is not a reviewer.
    """
    reviewer = reviews.checked(people.allowed(await people.load(tg_id, session=session)))
    query = open_messages(reviewer.id).add_columns(ReviewHoldRow.expiry_datetime)
    query = query.join(ReviewHoldRow, ReviewHoldRow.transcription_id == TranscriptionRow.id)
    rows = await session.execute(
        query.where(TranscriptionRow.id.in_(held_by(reviewer.id))).order_by(TranscriptionRow.id)
    )
    return tuple(_item(row, held_until) for row, held_until in rows)


async def hold(
    tg_id: int,
    chosen: Sequence[int],
    besides: Sequence[int] = (),
    *,
    settings: DbAssistSettings,
    session: AsyncSession,
) -> ReviewItem | None:
    """Return the message that is held for the reviewer, or hold the first message in `chosen` that is free.

    A message is free if it is not held for another reviewer. Messages in `besides` are not returned.

    Returns:
        The message; None if no message is held and `chosen` is empty.

    Raises:
        NotFoundError: the person does not exist.
        ForbiddenError: the person is not a reviewer.
        OverloadedError: all messages in `chosen` are held for other reviewers now. If the caller chooses again, there
            may be other messages.
    """
    # The same reviewer may have sent two requests at the same time.
    if (item := await held(tg_id, besides, settings=settings, session=session)) is not None:
        return item
    reviewer = await people.lock(tg_id, session=session)
    for number in chosen:
        if (item := await hold_one(number, reviewer, settings=settings, session=session)) is not None:
            return item
    if chosen:
        raise OverloadedError("other reviewers have just taken all waiting messages", retry_after_s=_RETRY_AFTER_S)
    return None


async def hold_one(
    transcription_id: int, reviewer: UserRow, *, settings: DbAssistSettings, session: AsyncSession
) -> ReviewItem | None:
    """Hold a message for a reviewer; return None if the reviewer may not review it or another reviewer holds it."""
    query = open_messages(reviewer.id).where(TranscriptionRow.id == transcription_id)
    row = (await session.scalars(query)).one_or_none()
    return None if row is None else await _hold(row, reviewer, settings, session=session)


async def _hold(
    row: TranscriptionRow, reviewer: UserRow, settings: DbAssistSettings, *, session: AsyncSession
) -> ReviewItem | None:
    """Hold a message for a reviewer; return None if it is held for another reviewer."""
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


def held_by(reviewer_id: int) -> Select[int]:
    """Select the messages that are held for a reviewer."""
    return select(ReviewHoldRow.transcription_id).where(
        ReviewHoldRow.reviewer_id == reviewer_id, ReviewHoldRow.expiry_datetime > people.now()
    )


def open_messages(reviewer_id: int, *, among_all: bool = False) -> Select[TranscriptionRow]:
    """Select the messages that a reviewer may review and has not reviewed.

    Args:
        reviewer_id: id of the row of the reviewer.
        among_all: if True, the database first collects all consents and reviews; this is faster if the caller searches
            all messages. If False, the database looks up the consent and the reviews of each message; this is faster if
            the caller restricts the query to some messages.
    """
    own = select(ReviewRow.transcription_id).where(ReviewRow.reviewer_id == reviewer_id)
    foreign = select(ReviewRow.transcription_id).where(ReviewRow.verdict == Verdict.OTHER_VOICE.value)
    if not among_all:
        own, foreign = (one.where(ReviewRow.transcription_id == TranscriptionRow.id) for one in (own, foreign))
    return select(TranscriptionRow).where(
        TranscriptionRow.status == Status.DONE.value,
        # Only voice messages are reviewed, because they show no face and their files have no title.
        TranscriptionRow.media_kind == MediaKind.VOICE.value,
        TranscriptionRow.is_forwarded.is_(False),
        TranscriptionRow.user_id != reviewer_id,
        TranscriptionRow.text != "",
        func.length(TranscriptionRow.text) <= LONGEST_CHARS,
        TranscriptionRow.duration_s <= LONGEST_S,
        _may_be_heard(among_all=among_all),
        TranscriptionRow.id.not_in(own),
        # In these messages another person speaks, who has not agreed to anything.
        TranscriptionRow.id.not_in(foreign),
    )


def _may_be_heard(*, among_all: bool) -> ColumnElement[bool]:
    """Return the SQL condition that the speaker consents to training.

    A consent counts only if its wording mentioned that reviewers listen to recordings.
    """
    last = select(func.max(ConsentRow.id)).where(ConsentRow.purpose == Purpose.TRAINING.value)
    answer = aliased(ConsentRow)
    agreed = select(answer.user_id).where(
        answer.granted.is_(True),
        answer.text_version >= REVIEWERS_LISTEN_SINCE,
    )
    if among_all:
        return TranscriptionRow.user_id.in_(agreed.where(answer.id.in_(last.group_by(ConsentRow.user_id))))
    of_speaker = last.where(ConsentRow.user_id == TranscriptionRow.user_id).correlate(TranscriptionRow)
    return exists(agreed.where(answer.id == of_speaker.scalar_subquery()))
