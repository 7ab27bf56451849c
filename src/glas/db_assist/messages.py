"""Create, find, finish and change the rows of messages."""

from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Select, and_, bindparam, case, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.dml import ReturningInsert

from glas.clients.db_assist_bodies import AnswerPlace, Archived, Failed, Finished, NewTranscription
from glas.db.correction_tables import AttachedMessageRow, CorrectionRow
from glas.db.session import dialect, insert_of
from glas.db.tables import TranscriptionRow, UserRow, table_of
from glas.db_assist import people, usage
from glas.db_assist.changes import next_sequence
from glas.domain.corrections import Rank
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.messages import Score, Status, Transcription

_Row: TypeAlias = dict[str, Any]
_RowT = TypeVar("_RowT")

_NAME: Final = ("bot_id", "chat_id", "message_id", "attempt")
# Without `file_id`: Telegram may give the same file another `file_id` when it delivers an update again.
_MUST_AGREE: Final = ("file_unique_id", "media_kind", "is_forwarded")

# Statements that run for every message are built once and return no ORM objects, which would take more time.
_table: Final = table_of(TranscriptionRow)
_users: Final = table_of(UserRow)
_corrections: Final = table_of(CorrectionRow)
_reference: Final = case((_corrections.c.rank != Rank.DOUBTFUL.value, _corrections.c.reference))
_WITH_REFERENCE: Final = select(
    *_table.c, _reference.label("reference"), _corrections.c.reference.label("corrected_text"), _corrections.c.rank
).select_from(_table.outerjoin(_corrections, _corrections.c.transcription_id == _table.c.id))
_BY_ID: Final = update(_table).where(_table.c.id == bindparam("row_id"))


def as_transcription(row: TranscriptionRow) -> Transcription:
    """Convert a row, whose correction must be loaded already, to the class `Transcription`."""
    return Transcription.model_validate(row, from_attributes=True)


async def create(new: NewTranscription, *, session: AsyncSession) -> Transcription:
    """Create the row of a message; if the row exists already, change only the two ids of the answer (chat and message).

    Raises:
        NotFoundError: the sender is not registered.
        ForbiddenError: the sender is banned.
        ConflictError: the row exists already with another sender, file or kind.
    """
    now = people.now()
    values = new.model_dump(mode="json") | {"creation_datetime": now, "changed_datetime": now}
    created = (await session.execute(_creation(dialect(session)), values)).mappings().one_or_none()
    return await _created_before(new, session=session) if created is None else _transcription({**created})


@cache
def _creation(dialect_name: str) -> ReturningInsert[Any]:
    """Return an INSERT that inserts nothing if the message exists already, or if its sender is unknown or banned."""
    values: dict[str, Any] = {
        "status": literal(Status.PENDING.value),
        "score": literal(Score.NOT_RATED.value),
        "change_sequence": literal(0),
        "user_id": _users.c.id,
    }
    given = (*NewTranscription.model_fields, "creation_datetime", "changed_datetime")
    values |= {name: bindparam(name, type_=_table.c[name].type) for name in given if name != "tg_id"}
    # This locks the sender like `people.sender`.
    sender = (
        select(*values.values())
        .where(_users.c.tg_id == bindparam("tg_id"), _users.c.is_banned.is_(False))
        .with_for_update(read=True, key_share=True, of=_users)
    )
    statement = insert_of(dialect_name, _table).from_select([*values], sender)
    return statement.on_conflict_do_nothing(index_elements=_NAME).returning(_table)


async def _created_before(new: NewTranscription, *, session: AsyncSession) -> Transcription:
    user = await people.sender(new.tg_id, session=session)
    named = [_table.c[column] == getattr(new, column) for column in _NAME]
    query = _WITH_REFERENCE.where(*named).with_for_update(of=_table)
    row = {**(await session.execute(query)).mappings().one()}
    if row["user_id"] != user.id or any(row[name] != getattr(new, name) for name in _MUST_AGREE):
        raise ConflictError("this message was recorded with other values")
    if new.answer_message_id not in (None, row["answer_message_id"]):
        place = new.model_dump(include={"answer_message_id", "answer_chat_id"})
        return await _write(row, place, session=session)
    return _transcription(row)


async def find(transcription_id: int, *, session: AsyncSession) -> Transcription:
    """Return a message by its id.

    Raises:
        NotFoundError: there is no such message.
    """
    found = await _newest(_WITH_REFERENCE.where(_table.c.id == transcription_id), session=session)
    return _present(found, transcription_id)


async def find_by_answer(bot_id: int, chat_id: int, answer_message_id: int, *, session: AsyncSession) -> Transcription:
    """Find a message by the bot's answer, or by another Telegram message in which the bot showed the text.

    If two messages have the same answer, return the newer message.

    Raises:
        NotFoundError: there is no such message.
    """
    attached = select(AttachedMessageRow.transcription_id).where(
        AttachedMessageRow.chat_id == chat_id, AttachedMessageRow.message_id == answer_message_id
    )
    is_there = or_(
        _table.c.answer_chat_id == chat_id, and_(_table.c.answer_chat_id.is_(None), _table.c.chat_id == chat_id)
    )
    is_answer = and_(is_there, _table.c.answer_message_id == answer_message_id)
    query = _WITH_REFERENCE.where(_table.c.bot_id == bot_id, or_(is_answer, _table.c.id.in_(attached)))
    return _present(await _newest(query, session=session), answer_message_id)


async def find_by_recording(bot_id: int, chat_id: int, message_id: int, *, session: AsyncSession) -> Transcription:
    """Find a message by the ids of the chat and of the Telegram message that contains the recording.

    If there were several attempts to recognise the recording, there are several rows; return the last row.

    Raises:
        NotFoundError: there is no such message.
    """
    named = (_table.c.bot_id == bot_id, _table.c.chat_id == chat_id, _table.c.message_id == message_id)
    return _present(await _newest(_WITH_REFERENCE.where(*named), session=session), message_id)


async def find_same_file(
    file_unique_id: str,
    model: str | None,
    model_version: str | None,
    keywords_sha256: str | None,
    *,
    session: AsyncSession,
) -> Transcription | None:
    """Return the newest finished message with the same file, model, version and keywords.

    If an argument is None, it is not compared. If `keywords_sha256` is empty, only texts that were recognised without
    keywords are found.
    """
    query = _WITH_REFERENCE.where(_table.c.file_unique_id == file_unique_id, _table.c.status == Status.DONE.value)
    if model is not None:
        query = query.where(_table.c.model == model)
    if model_version is not None:
        query = query.where(_table.c.model_version == model_version)
    if keywords_sha256 is not None:
        query = query.where(_table.c.keywords_sha256.is_not_distinct_from(keywords_sha256 or None))
    return await _newest(query, session=session)


async def _newest(query: Select[Any], *, session: AsyncSession) -> Transcription | None:
    row = (await session.execute(query.order_by(_table.c.id.desc()).limit(1))).mappings().one_or_none()
    return None if row is None else _transcription({**row})


async def lock(transcription_id: int, *, session: AsyncSession) -> TranscriptionRow:
    """Lock a message's row until the transaction ends, and return the row.

    Raises:
        NotFoundError: there is no such message.
    """
    query = select(TranscriptionRow).options(joinedload(TranscriptionRow.correction))
    query = query.where(TranscriptionRow.id == transcription_id)
    rows = await session.scalars(query.with_for_update(of=TranscriptionRow))
    return _present(rows.one_or_none(), transcription_id)


async def lock_author(transcription_id: int, *, session: AsyncSession) -> None:
    """Prevent the deletion of the row of a message's author until the transaction ends.

    Call this before locking the message.
    """
    author = select(TranscriptionRow.user_id).where(TranscriptionRow.id == transcription_id).scalar_subquery()
    await session.execute(select(UserRow.id).where(UserRow.id == author).with_for_update(read=True, key_share=True))


async def set_answer(transcription_id: int, place: AnswerPlace, *, session: AsyncSession) -> Transcription:
    """Store the ids of the chat and of the Telegram message in which the bot answered.

    Both ids change if the bot must send the answer again.
    """
    return await _write(await _locked(transcription_id, session=session), place.model_dump(), session=session)


async def archive(transcription_id: int, archived: Archived, *, session: AsyncSession) -> Transcription:
    """Store that the original bytes of the recording are in the object store.

    Raises:
        ConflictError: another hash of the bytes is stored already.
    """
    row = await _locked(transcription_id, session=session)
    if row["audio_key"] is not None:
        return _repeated(row, archived.model_dump(), "archived")
    return await _change(row, archived.model_dump(), session=session)


async def finish(transcription_id: int, finished: Finished, *, session: AsyncSession) -> Transcription:
    """Store the result of the recognition of a message, and count the duration towards the usage of the party.

    Raises:
        ConflictError: the message has another text or a failure already.
    """
    if finished.usage is not None:
        await usage.count(finished.usage, session=session)
    values = finished.model_dump(exclude={"usage"}) | {"status": Status.DONE.value}
    return await _end(transcription_id, values, session=session)


async def fail(transcription_id: int, failed: Failed, *, session: AsyncSession) -> Transcription:
    """Store the reason why a message has no text.

    Raises:
        ConflictError: the message has another text or a failure already.
    """
    return await _end(transcription_id, failed.model_dump() | {"status": Status.FAILED.value}, session=session)


async def mark_changed(row: TranscriptionRow, *, session: AsyncSession) -> None:
    """Mark a finished message as changed (see `glas.db_assist.changes`), so that the next export reads the message."""
    row.change_sequence = await next_sequence(session=session)
    row.changed_datetime = people.now()


async def _locked(transcription_id: int, *, session: AsyncSession) -> _Row:
    """Lock a row as `lock` does, but return its values without an object of the ORM, because this is faster."""
    query = _WITH_REFERENCE.where(_table.c.id == transcription_id).with_for_update(of=_table)
    row = (await session.execute(query)).mappings().one_or_none()
    return {**_present(row, transcription_id)}


async def _end(transcription_id: int, values: _Row, *, session: AsyncSession) -> Transcription:
    row = await _locked(transcription_id, session=session)
    if row["status"] != Status.PENDING:
        return _repeated(row, values, "ended")
    return await _change(row, values, session=session)


async def _change(row: _Row, values: _Row, *, session: AsyncSession) -> Transcription:
    """Change values of a locked row; if the message is finished, mark it as changed for the next export."""
    if values.get("status", row["status"]) == Status.DONE:
        values = values | {"change_sequence": await next_sequence(session=session)}
    return await _write(row, values, session=session)


async def _write(row: _Row, values: _Row, *, session: AsyncSession) -> Transcription:
    values = values | {"changed_datetime": people.now()}
    await session.execute(_BY_ID, values | {"row_id": row["id"]})
    return _transcription(row | values)


def _repeated(row: _Row, values: _Row, what: str) -> Transcription:
    if any(row[name] != value for name, value in values.items()):
        raise ConflictError(f"transcription {row['id']} was {what} with other values; its status is {row['status']}")
    return _transcription(row)


def _transcription(row: _Row) -> Transcription:
    return Transcription.model_validate(row)


def _present(row: _RowT | None, name: int) -> _RowT:
    if row is None:
        raise NotFoundError(f"expected a message that is stored, got {name}", param="id")
    return row
