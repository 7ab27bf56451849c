"""Write and read the audit; the entry about an action is written in the same transaction as the action."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from glas.clients.db_assist_bodies import Page
from glas.db.audit_tables import AuditRow
from glas.db.tables import UserRow
from glas.domain.audit import Action, AuditEntry
from glas.domain.errors import ForbiddenError
from glas.domain.people import Role

Values: TypeAlias = Mapping[str, bool | int | str | None]

_READ_AGAIN: Final = timedelta(minutes=10)
"""If an administrator opens a message or plays its sound several times within this time, one reading is recorded."""


async def write(
    by: int | None,
    action: Action,
    *,
    subject: UserRow | None,
    before: Values | None = None,
    after: Values | None = None,
    transcription_id: int | None = None,
    session: AsyncSession,
) -> None:
    """Write an entry; if `by` is None, or if the action has changed nothing, write nothing.

    Args:
        by: the Telegram id of the administrator; None if a person changes their own data, or the bot acts by itself.
        action: the kind of the action, such as BAN.
        subject: the person whom the action concerns; None if it concerns no person.
        before: the values that were replaced, by name; None if there were none.
        after: the new values. If they equal the values before, the action has changed nothing and is not recorded.
        transcription_id: id of the message that the action concerns; None if it concerns no message.
        session: the caller's database transaction.

    Raises:
        ForbiddenError: the person with the Telegram id `by` is not an administrator.
    """
    if by is None:
        return
    actor = await administrator(by, session=session)
    if before is not None and before == after:
        return
    session.add(_row(actor, action, subject, transcription_id, before=before, after=after))
    await session.flush()


def write_retention(subject: UserRow, n_messages: int, *, session: AsyncSession) -> None:
    """Write an entry about messages that were deleted because of their age; the entry names no administrator."""
    session.add(_row(None, Action.RETENTION, subject, None, before={"n_messages": n_messages}))


async def read_message(by: int, subject: UserRow, transcription_id: int, *, session: AsyncSession) -> None:
    """Record that an administrator opens a person's message; write at most one such entry in ten minutes.

    Raises:
        ForbiddenError: the person with the Telegram id `by` is not an administrator.
    """
    actor = await administrator(by, session=session)
    before = select(AuditRow.id).where(
        AuditRow.actor_id == actor.id,
        AuditRow.action == Action.READ_MESSAGE.value,
        AuditRow.transcription_id == transcription_id,
        AuditRow.creation_datetime > datetime.now(UTC) - _READ_AGAIN,
    )
    if (await session.scalars(before.limit(1))).one_or_none() is None:
        session.add(_row(actor, Action.READ_MESSAGE, subject, transcription_id))


async def administrator(tg_id: int, *, session: AsyncSession) -> UserRow:
    """Return the row of an administrator, and prevent its deletion until the transaction ends.

    Raises:
        ForbiddenError: this person is not an administrator, or is banned.
    """
    query = select(UserRow).where(UserRow.tg_id == tg_id).with_for_update(read=True, key_share=True)
    row = (await session.scalars(query)).one_or_none()
    if row is None or row.is_banned or row.role != Role.ADMIN:
        raise ForbiddenError("only an administrator may do this")
    return row


async def page(before: int | None, limit: int, tg_id: int | None, *, session: AsyncSession) -> Page[AuditEntry]:
    """Return a page of entries of the audit, the newest first.

    Args:
        before: only entries with ids smaller than this are returned; None begins with the newest entry.
        limit: largest number of entries.
        tg_id: only entries that concern the person with this Telegram id are returned; None returns all entries.
        session: the caller's database transaction.
    """
    actor, subject = aliased(UserRow), aliased(UserRow)
    query = (
        select(AuditRow, actor.tg_id, subject.tg_id)
        .outerjoin(actor, actor.id == AuditRow.actor_id)
        .outerjoin(subject, subject.id == AuditRow.subject_id)
        .order_by(AuditRow.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(AuditRow.id < before)
    if tg_id is not None:
        query = query.where(AuditRow.subject_id == select(UserRow.id).where(UserRow.tg_id == tg_id).scalar_subquery())
    found = [_entry(row, by, whom) for row, by, whom in (await session.execute(query)).all()]
    return page_of(found, limit)


async def about(user_id: int, *, session: AsyncSession) -> tuple[AuditEntry, ...]:
    """Return the actions of administrators on a person's data, the oldest first, without the administrators' names."""
    query = select(AuditRow).where(AuditRow.subject_id == user_id).order_by(AuditRow.id)
    return tuple(_entry(row, None, None) for row in await session.scalars(query))


def page_of(found: list[AuditEntry], limit: int) -> Page[AuditEntry]:
    """Make a page of the first `limit` entries in `found`; if `found` has more entries, there is a next page."""
    shown = tuple(found[:limit])
    return Page(items=shown, next_cursor=str(shown[-1].id) if shown else "", has_more=len(found) > limit)


def _row(
    actor: UserRow | None,
    action: Action,
    subject: UserRow | None,
    transcription_id: int | None,
    *,
    before: Values | None = None,
    after: Values | None = None,
) -> AuditRow:
    return AuditRow(
        actor_id=None if actor is None else actor.id,
        subject_id=None if subject is None else subject.id,
        transcription_id=transcription_id,
        action=action.value,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        creation_datetime=datetime.now(UTC),
    )


def _entry(row: AuditRow, actor_tg_id: int | None, subject_tg_id: int | None) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        creation_datetime=row.creation_datetime,
        actor_id=row.actor_id,
        actor_tg_id=actor_tg_id,
        subject_id=row.subject_id,
        subject_tg_id=subject_tg_id,
        transcription_id=row.transcription_id,
        action=Action(row.action),
        before=row.before,
        after=row.after,
    )
