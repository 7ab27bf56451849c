"""Delete messages that are older than the settings permit, in the same way as if their authors deleted them.

A tombstone is written for each deleted message. With the tombstones, the next export deletes recordings, texts and
exported files. Ledger entries stay. The audit records for each person how many of their messages were deleted.
"""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select

from glas.db.session import Database
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import audit, people
from glas.db_assist.changes import last_consent
from glas.db_assist.privacy import delete_messages
from glas.domain.people import Purpose
from glas.settings import DbAssistSettings

_BATCH: Final = 200
"""Largest number of messages that one transaction deletes; the limit keeps transactions short."""

_log = structlog.stdlib.get_logger("glas.db_assist")


async def delete_old(opened: Database, rules: DbAssistSettings) -> int:
    """Delete all messages that are too old, one person after another; return the number of deleted messages."""
    old = _too_old(rules)
    if old is None:
        return 0
    n_deleted = 0
    while deleted := await _delete_some(opened, old):
        n_deleted += deleted
    if n_deleted:
        _log.info("old messages were deleted", n_messages=n_deleted)
    return n_deleted


async def _delete_some(opened: Database, old: ColumnElement[bool]) -> int:
    """Delete some of the old messages of one person in one transaction; return the number of deleted messages."""
    async with opened.writing() as session:
        first = select(TranscriptionRow.user_id).where(old).order_by(TranscriptionRow.creation_datetime).limit(1)
        user_id = (await session.scalars(first)).one_or_none()
        if user_id is None:
            return 0
        # As everywhere, the person is locked before the messages. The messages are selected only after that, because
        # the person may have changed them meanwhile.
        lock = select(UserRow).where(UserRow.id == user_id).with_for_update(key_share=True)
        user = (await session.scalars(lock)).one()
        theirs = select(TranscriptionRow.id).where(TranscriptionRow.user_id == user_id, old)
        ids = (await session.scalars(theirs.order_by(TranscriptionRow.id).limit(_BATCH))).all()
        if ids:
            await delete_messages(user_id, ids, session=session)
            audit.write_retention(user, len(ids), session=session)
        return len(ids)


def _too_old(rules: DbAssistSettings) -> ColumnElement[bool] | None:
    """Return the SQL condition that a message is too old; None if the settings permit messages of any age."""
    agrees = func.coalesce(last_consent(TranscriptionRow.user_id, Purpose.TRAINING), False)
    limits = ((agrees.is_(False), rules.retention_days), (agrees.is_(True), rules.training_retention_days))
    found = [
        and_(whose, TranscriptionRow.creation_datetime < people.now() - timedelta(days=days))
        for whose, days in limits
        if days
    ]
    return or_(*found) if found else None
