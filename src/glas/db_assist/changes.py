"""Number the changes of messages in the order of commits, so that an export finds all changes since the last export.

Times are not suitable for this order, for two reasons. Two changes may have the same time. And a transaction may commit
later than another transaction with a later time; an export that reads changes by their times would then skip the first
transaction. So each transaction that changes finished messages (messages with a recognised text) increases a counter,
and stores the value of the counter with the messages. The row of the counter stays locked until the commit. The numbers
therefore become visible in ascending order and without gaps.
"""

import re
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, case, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from glas.clients.db_assist_bodies import Change, Page
from glas.db.review_tables import ReviewRow
from glas.db.tables import ChangeCounterRow, ConsentRow, TombstoneRow, TranscriptionRow, table_of
from glas.domain.errors import InvalidParameterError
from glas.domain.messages import Transcription
from glas.domain.people import Purpose
from glas.domain.reviews import Verdict

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,18})")
_counter: Final = table_of(ChangeCounterRow)
_NEXT: Final = update(_counter).values(value=_counter.c.value + 1).returning(_counter.c.value)


class _Position(NamedTuple):
    """Position up to which an export has read the changes: number of the last change, and id of its message.

    The id is needed, too, because all messages that one transaction changes get the same number.
    """

    sequence: int
    transcription_id: int

    @classmethod
    def read(cls, cursor: str) -> "_Position":
        if not cursor:
            # Messages that are not finished have the number 0.
            return cls(1, 0)
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise InvalidParameterError(
                f"cursor: expected the next_cursor of a page, got {cursor[:100]!r}", param="cursor"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.sequence}.{self.transcription_id}"


async def next_sequence(*, session: AsyncSession) -> int:
    """Increase the counter of changes, and return its new value.

    This call locks the row of the counter. Call it as late as possible in a transaction, after the transaction has
    locked all other rows that it needs. From this call until the commit, all other transactions that change finished
    messages wait.
    """
    number: int = (await session.execute(_NEXT)).scalar_one()
    return number


async def page(cursor: str, limit: int, *, session: AsyncSession) -> Page[Change]:
    """Return a page of the changes after a cursor, the oldest first.

    Raises:
        InvalidParameterError: the cursor does not have the format of a page's `next_cursor`.
    """
    start = _Position.read(cursor)
    # All changes up to this number are visible. Later ones may appear between the two queries below.
    end = (await session.scalars(select(ChangeCounterRow.value))).one()
    found = await _changed(start, end, limit + 1, session=session)
    found += await _deleted(start, end, limit + 1, session=session)
    found.sort(key=lambda item: item[0])
    shown = found[:limit]
    return Page(
        items=tuple(change for _, change in shown),
        next_cursor=str(shown[-1][0]) if shown else cursor,
        has_more=len(found) > limit,
    )


async def _changed(start: _Position, end: int, limit: int, *, session: AsyncSession) -> list[tuple[_Position, Change]]:
    consent = last_consent(TranscriptionRow.user_id, Purpose.TRAINING)
    verdict = _unusable()
    position = tuple_(TranscriptionRow.change_sequence, TranscriptionRow.id)
    query = (
        select(TranscriptionRow, consent, verdict)
        .where(position > tuple_(*start), TranscriptionRow.change_sequence <= end)
        .order_by(TranscriptionRow.change_sequence, TranscriptionRow.id)
        .limit(limit)
        .options(joinedload(TranscriptionRow.correction))
    )
    rows = (await session.execute(query)).all()
    return [
        (
            _Position(row.change_sequence, row.id),
            Change(
                transcription_id=row.id,
                transcription=Transcription.model_validate(row, from_attributes=True),
                training_consent=bool(agreed),
                verdict=verdict if row.reference is None or verdict == Verdict.OTHER_VOICE else None,
            ),
        )
        for row, agreed, verdict in rows
    ]


def _unusable() -> ColumnElement[str | None]:
    """Make the SQL expression for the last verdict that forbids the use of a message's sound; NULL if there is none.

    If a verdict says that another person than the sender speaks, later verdicts are ignored, because this other person
    has not consented to any use.
    """
    last = select(ReviewRow.verdict).where(
        ReviewRow.transcription_id == TranscriptionRow.id,
        ReviewRow.verdict.in_((Verdict.BAD_AUDIO.value, Verdict.NOT_SPEECH.value, Verdict.OTHER_VOICE.value)),
    )
    is_other = case((ReviewRow.verdict == Verdict.OTHER_VOICE.value, 1), else_=0)
    return last.order_by(is_other.desc(), ReviewRow.id.desc()).limit(1).scalar_subquery()


async def _deleted(start: _Position, end: int, limit: int, *, session: AsyncSession) -> list[tuple[_Position, Change]]:
    position = tuple_(TombstoneRow.change_sequence, TombstoneRow.transcription_id)
    query = (
        select(TombstoneRow)
        .where(position > tuple_(*start), TombstoneRow.change_sequence <= end)
        .order_by(TombstoneRow.change_sequence, TombstoneRow.transcription_id)
        .limit(limit)
    )
    return [
        (
            _Position(row.change_sequence, row.transcription_id),
            Change(transcription_id=row.transcription_id, transcription=None),
        )
        for row in await session.scalars(query)
    ]


def last_consent(user_id: InstrumentedAttribute[int], purpose: Purpose) -> ColumnElement[bool | None]:
    """Make the SQL expression for a person's last decision about a consent; NULL if there is none."""
    return (
        select(ConsentRow.granted)
        .where(ConsentRow.user_id == user_id, ConsentRow.purpose == purpose.value)
        .order_by(ConsentRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
