"""Store announcements: news for people from whom the champion has learnt, and questions to administrators.

The bot claims (reserves) an announcement, sends it, and stores the outcome. If the bot is killed after the claim, it is
not known whether the announcement was sent. News is then not sent again, so that nobody gets the same news twice. A
question is claimed and sent again, because an unseen question is worse than a question that comes twice.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.model_record_bodies import Announcement, NewsItem, OutcomeRequest, QuestionRequest
from glas.db.model_tables import AnnouncementRow, ModelRow
from glas.db.own_model_tables import OwnModelRow
from glas.db.session import insert
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import people
from glas.db_assist.changes import last_consent
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.model_records import AnnouncementKind, ModelState, News, Outcome
from glas.domain.people import Locale, Purpose, User

_MOST_AT_ONCE = 100
_NEWS = (AnnouncementKind.NEWS.value, AnnouncementKind.OWN_NEWS.value)


async def add_news(model_id: int, news: Sequence[NewsItem], *, session: AsyncSession) -> None:
    """Store the news about a model; the bot sends the news when the model is the champion.

    News that shows the text of a deleted message is not stored.
    """
    for item in news:
        row = await session.get(TranscriptionRow, item.transcription_id)
        if row is not None:
            await _add(item, row, AnnouncementKind.NEWS, "model_id", model_id, session=session)


async def add_own_news(own_model_id: int, user_id: int, item: NewsItem, *, session: AsyncSession) -> None:
    """Store the news about a person's own model; the bot sends the news while this model answers the person.

    News that shows the text of a deleted message, or of a message of another person, is not stored.
    """
    row = await session.get(TranscriptionRow, item.transcription_id)
    if row is not None and row.user_id == user_id:
        await _add(item, row, AnnouncementKind.OWN_NEWS, "own_model_id", own_model_id, session=session)


async def _add(
    item: NewsItem, row: TranscriptionRow, kind: AnnouncementKind, about: str, number: int, *, session: AsyncSession
) -> None:
    """Store news, unless the same person has news about the same model already.

    Args:
        item: the news.
        row: the row of the message whose text the news shows.
        kind: NEWS or OWN_NEWS.
        about: name of the column for the model: `model_id` or `own_model_id`.
        number: the value for this column, which identifies the model.
        session: the caller's database transaction.
    """
    new = insert(session, AnnouncementRow).values(
        **{about: number},
        user_id=row.user_id,
        kind=kind.value,
        bot_id=row.bot_id,
        transcription_id=row.id,
        text_before=item.text_before,
        text_after=item.text_after,
        creation_datetime=people.now(),
    )
    await session.execute(new.on_conflict_do_nothing(index_elements=[about, "user_id", "kind"]))


async def ask(model_id: int, wanted: QuestionRequest, *, session: AsyncSession) -> tuple[Announcement, ...]:
    """Store questions about a candidate for the administrators who have registered with /start.

    Raises:
        NotFoundError: there is no such model.
    """
    model = await session.get(ModelRow, model_id)
    if model is None:
        raise NotFoundError("expected a model that was judged here")
    if model.state == ModelState.CANDIDATE:
        known = await session.scalars(select(UserRow.id).where(UserRow.tg_id.in_(wanted.tg_ids)))
        for user_id in known.all():
            new = insert(session, AnnouncementRow).values(
                model_id=model_id,
                user_id=user_id,
                kind=AnnouncementKind.QUESTION.value,
                bot_id=wanted.bot_id,
                creation_datetime=people.now(),
            )
            await session.execute(new.on_conflict_do_nothing(index_elements=["model_id", "user_id", "kind"]))
    asked = and_(AnnouncementRow.model_id == model_id, AnnouncementRow.kind == AnnouncementKind.QUESTION.value)
    return await _found(asked, session=session)


async def waiting(bot_id: int, *, session: AsyncSession) -> tuple[Announcement, ...]:
    """Return the announcements that the bot with this id must send."""
    return await _found(and_(AnnouncementRow.bot_id == bot_id, _waits()), limit=_MOST_AT_ONCE, session=session)


async def claim(announcement_id: int, claimed_by: str, *, session: AsyncSession) -> Announcement | None:
    """Reserve an announcement for one process of the bot; return None if the announcement must not be sent any more.

    Only one process of the bot sends announcements at a time. So if another process has claimed the announcement
    before, this other process has crashed. News that a crashed process had claimed counts as sent.
    """
    row = await session.get(AnnouncementRow, announcement_id, with_for_update=True)
    if row is None or row.outcome is not None:
        return None
    if row.kind in _NEWS and row.claim not in (None, claimed_by):
        _end(row, Outcome.SENT)
        return None
    found = await _found(and_(AnnouncementRow.id == announcement_id, _may_be_sent()), session=session)
    if not found:
        return None
    row.claim = claimed_by
    return found[0]


async def end(announcement_id: int, wanted: OutcomeRequest, *, session: AsyncSession) -> None:
    """Store the outcome of sending an announcement, and remove the person's words from the row of the announcement.

    If the outcome is None, nothing was sent. The words then stay, and the announcement waits for the next attempt.

    Raises:
        NotFoundError: the announcement was deleted after the claim.
        ConflictError: another process of the bot has claimed the announcement.
    """
    row = await session.get(AnnouncementRow, announcement_id, with_for_update=True)
    if row is None:
        raise NotFoundError("expected an announcement, got a number without one")
    if row.claim != wanted.claim:
        raise ConflictError("another run of the bot sends this announcement")
    if wanted.outcome is None:
        row.claim = None
        return
    row.message_id = wanted.message_id
    _end(row, wanted.outcome)


def _end(row: AnnouncementRow, outcome: Outcome) -> None:
    row.outcome = outcome.value
    row.sent_datetime = people.now() if outcome is Outcome.SENT else None
    row.text_before = row.text_after = None


async def drop_unsent_news(model_id: int, *, session: AsyncSession) -> None:
    """Delete the unsent news about a model, because the model is no longer the champion."""
    mine = and_(AnnouncementRow.model_id == model_id, AnnouncementRow.kind == AnnouncementKind.NEWS.value)
    await session.execute(delete(AnnouncementRow).where(mine, AnnouncementRow.outcome.is_(None)))


async def drop_unsent_own_news(own_model_id: int, *, session: AsyncSession) -> None:
    """Delete the unsent news about an own model, because the model no longer answers its person."""
    mine = AnnouncementRow.own_model_id == own_model_id
    await session.execute(delete(AnnouncementRow).where(mine, AnnouncementRow.outcome.is_(None)))


async def set_wanted(tg_id: int, *, wanted: bool, session: AsyncSession) -> User:
    """Store whether a person wants news about models that learnt from them."""
    row = await people.load(tg_id, session=session, locked=True)
    row.news_refusal_datetime = None if wanted else row.news_refusal_datetime or people.now()
    return people.as_user(row)


async def news_of(user_id: int, *, session: AsyncSession) -> tuple[News, ...]:
    """Return the news of a person."""
    mine = and_(AnnouncementRow.user_id == user_id, AnnouncementRow.kind.in_(_NEWS))
    rows = await session.scalars(select(AnnouncementRow).where(mine).order_by(AnnouncementRow.id))
    return tuple(News.model_validate(row, from_attributes=True) for row in rows)


async def forget(user_id: int, *, session: AsyncSession) -> None:
    """Delete a person's announcements, whether sent or not."""
    await session.execute(delete(AnnouncementRow).where(AnnouncementRow.user_id == user_id))


def _waits() -> ColumnElement[bool]:
    """Return the SQL condition that an announcement may be sent and, if it is news, is not claimed yet."""
    return and_(_may_be_sent(), or_(AnnouncementRow.kind.not_in(_NEWS), AnnouncementRow.claim.is_(None)))


def _may_be_sent() -> ColumnElement[bool]:
    """Return the SQL condition that an announcement may be sent.

    The announcement must not have been sent, and the person must not be banned. A question must be about a candidate.
    News must be about the champion, or about the own model that answers the person. News is sent only to a person who
    wants news and consents to training.
    """
    kind = AnnouncementRow.kind
    wants_news = and_(
        UserRow.news_refusal_datetime.is_(None),
        last_consent(UserRow.id, Purpose.TRAINING).is_(True),
    )
    is_about_present_model = or_(
        and_(kind == AnnouncementKind.NEWS.value, ModelRow.state == ModelState.CHAMPION.value),
        and_(kind == AnnouncementKind.OWN_NEWS.value, OwnModelRow.user_id == UserRow.id, OwnModelRow.is_used),
    )
    return and_(
        AnnouncementRow.outcome.is_(None),
        UserRow.tg_id.is_not(None),
        UserRow.is_banned.is_(False),
        or_(
            and_(is_about_present_model, wants_news),
            and_(kind == AnnouncementKind.QUESTION.value, ModelRow.state == ModelState.CANDIDATE.value),
        ),
    )


async def _found(
    which: ColumnElement[bool], *, limit: int | None = None, session: AsyncSession
) -> tuple[Announcement, ...]:
    query = (
        select(AnnouncementRow, UserRow.tg_id, UserRow.locale, TranscriptionRow.chat_id, TranscriptionRow.message_id)
        .outerjoin(ModelRow, ModelRow.id == AnnouncementRow.model_id)
        .outerjoin(OwnModelRow, OwnModelRow.id == AnnouncementRow.own_model_id)
        .join(UserRow, UserRow.id == AnnouncementRow.user_id)
        .outerjoin(TranscriptionRow, TranscriptionRow.id == AnnouncementRow.transcription_id)
        .where(which, UserRow.tg_id.is_not(None))
        .order_by(AnnouncementRow.id)
        .limit(limit)
    )
    return tuple(
        Announcement(
            id=row.id,
            model_id=row.model_id,
            kind=AnnouncementKind(row.kind),
            bot_id=row.bot_id,
            tg_id=tg_id,
            locale=Locale(locale),
            chat_id=chat_id,
            recording_message_id=message_id,
            text_before=row.text_before,
            text_after=row.text_after,
            message_id=row.message_id,
            outcome=None if row.outcome is None else Outcome(row.outcome),
        )
        for row, tg_id, locale, chat_id, message_id in (await session.execute(query))
    )
