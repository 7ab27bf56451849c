"""Queries about messages: how one comes, is stored, ends, and is found again."""

from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from glas.clients.db_assist_bodies import AnswerPlace, Archived, Failed, Finished, NewTranscription
from glas.db.session import insert
from glas.db.tables import TranscriptionRow
from glas.db_assist import people
from glas.db_assist.changes import next_sequence
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.messages import Score, Status, Transcription

_NAME: Final = ("bot_id", "chat_id", "message_id", "attempt")
# `file_id` is left out: Telegram may name the same file anew when it delivers an update again.
_MUST_AGREE: Final = ("file_unique_id", "media_kind", "is_forwarded")


def as_transcription(row: TranscriptionRow) -> Transcription:
    """The domain's view of a row whose correction is loaded."""
    return Transcription.model_validate(row, from_attributes=True)


async def create(new: NewTranscription, *, session: AsyncSession) -> Transcription:
    """Record that a message has come, once.

    Raises:
        NotFoundError: the sender is not registered.
        ForbiddenError: the sender is banned.
        ConflictError: it was recorded with another sender, file or kind.
    """
    user = await people.sender(new.tg_id, session=session)
    now = people.now()
    values = new.model_dump(exclude={"tg_id"}, mode="json") | {
        "user_id": user.id,
        "status": Status.PENDING.value,
        "score": Score.NOT_RATED.value,
        "creation_datetime": now,
        "changed_datetime": now,
        "change_sequence": 0,
    }
    statement = insert(session, TranscriptionRow).values(values).on_conflict_do_nothing(index_elements=_NAME)
    created = await session.scalar(statement.returning(TranscriptionRow))
    if created is not None:
        set_committed_value(created, "correction", None)
        return as_transcription(created)
    named = [getattr(TranscriptionRow, column) == getattr(new, column) for column in _NAME]
    row = (await session.scalars(_with_correction().where(*named))).one()
    agreed = row.user_id == user.id and all(getattr(row, name) == getattr(new, name) for name in _MUST_AGREE)
    if not agreed:
        raise ConflictError(f"message {new.message_id} of chat {new.chat_id} was recorded with other values")
    return as_transcription(row)


async def find(transcription_id: int, *, session: AsyncSession) -> Transcription:
    """A message by its id.

    Raises:
        NotFoundError: there is none.
    """
    query = _with_correction().where(TranscriptionRow.id == transcription_id)
    return as_transcription(_present((await session.scalars(query)).one_or_none(), transcription_id))


async def find_by_answer(bot_id: int, chat_id: int, answer_message_id: int, *, session: AsyncSession) -> Transcription:
    """A message by its answer; the newest, should the answer have served twice.

    Raises:
        NotFoundError: there is none.
    """
    query = _with_correction().where(
        TranscriptionRow.bot_id == bot_id,
        TranscriptionRow.chat_id == chat_id,
        TranscriptionRow.answer_message_id == answer_message_id,
    )
    row = (await session.scalars(query.order_by(TranscriptionRow.id.desc()).limit(1))).one_or_none()
    return as_transcription(_present(row, answer_message_id))


async def find_same_file(file_unique_id: str, model: str | None, *, session: AsyncSession) -> Transcription | None:
    """The newest finished message with the same file, by the same model if one is named."""
    query = _with_correction().where(
        TranscriptionRow.file_unique_id == file_unique_id, TranscriptionRow.status == Status.DONE.value
    )
    if model is not None:
        query = query.where(TranscriptionRow.model == model)
    row = (await session.scalars(query.order_by(TranscriptionRow.id.desc()).limit(1))).one_or_none()
    return None if row is None else as_transcription(row)


async def lock(transcription_id: int, *, session: AsyncSession) -> TranscriptionRow:
    """A message's row, kept from all others until the transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    query = _with_correction().where(TranscriptionRow.id == transcription_id)
    rows = await session.scalars(query.with_for_update(of=TranscriptionRow))
    return _present(rows.one_or_none(), transcription_id)


async def set_answer(transcription_id: int, place: AnswerPlace, *, session: AsyncSession) -> Transcription:
    """Record where the answer stands; it may move, when a person deleted it."""
    row = await lock(transcription_id, session=session)
    row.answer_message_id = place.answer_message_id
    row.changed_datetime = people.now()
    return as_transcription(row)


async def archive(transcription_id: int, archived: Archived, *, session: AsyncSession) -> Transcription:
    """Record that the original bytes are stored.

    Raises:
        ConflictError: other bytes were recorded.
    """
    row = await lock(transcription_id, session=session)
    if row.audio_key is not None:
        return _repeated(row, archived.model_dump(), "archived")
    await _change(row, archived.model_dump(), session=session)
    return as_transcription(row)


async def finish(transcription_id: int, finished: Finished, *, session: AsyncSession) -> Transcription:
    """Record what was recognised.

    Raises:
        ConflictError: it ended before, otherwise.
    """
    values = finished.model_dump() | {"status": Status.DONE.value}
    row = await lock(transcription_id, session=session)
    if row.status != Status.PENDING:
        return _repeated(row, values, "finished")
    await _change(row, values, session=session, becomes_visible=True)
    return as_transcription(row)


async def fail(transcription_id: int, failed: Failed, *, session: AsyncSession) -> Transcription:
    """Record why there is no text.

    Raises:
        ConflictError: it ended before, otherwise.
    """
    values = failed.model_dump() | {"status": Status.FAILED.value}
    row = await lock(transcription_id, session=session)
    if row.status != Status.PENDING:
        return _repeated(row, values, "ended")
    await _change(row, values, session=session)
    return as_transcription(row)


async def mark_changed(row: TranscriptionRow, *, session: AsyncSession) -> None:
    """Put a finished message at the end of the order of changes."""
    await _change(row, {}, session=session)


async def _change(
    row: TranscriptionRow, values: dict[str, object], *, session: AsyncSession, becomes_visible: bool = False
) -> None:
    sequence = row.change_sequence
    if becomes_visible or row.status == Status.DONE:
        sequence = await next_sequence(session=session)
    for name, value in (values | {"change_sequence": sequence, "changed_datetime": people.now()}).items():
        setattr(row, name, value)


def _repeated(row: TranscriptionRow, values: dict[str, object], what: str) -> Transcription:
    if any(getattr(row, name) != value for name, value in values.items()):
        raise ConflictError(f"transcription {row.id} was {what} with other values; its status is {row.status}")
    return as_transcription(row)


def _with_correction() -> Select[TranscriptionRow]:
    return select(TranscriptionRow).options(joinedload(TranscriptionRow.correction))


def _present(row: TranscriptionRow | None, name: int) -> TranscriptionRow:
    if row is None:
        raise NotFoundError(f"expected a message that is known, got {name}", param="id")
    return row
