"""Store which own model answers a person or a group instead of the champion, and which files must be deleted."""

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.own_models import OwnModelChoice, OwnModelEntry
from glas.db.tables import OwnModelRow, TranscriptionRow, UserRow
from glas.db_assist import announcements, people
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.own_models import OwnModelRecord

_IS_OWNED = or_(OwnModelRow.user_id.is_not(None), OwnModelRow.chat_id.is_not(None))


async def record(entry: OwnModelEntry, *, session: AsyncSession) -> OwnModelRecord:
    """Assign an own model to a person or a group, in place of the earlier own model of this person or group.

    A person or group can switch between the own model and the champion. A new own model does not change this
    setting.

    Raises:
        NotFoundError: there is no such person or message.
        ConflictError: the model is assigned to another person or group.
    """
    user_id = None if entry.chat_id is not None else await _person(entry, session=session)
    whose = OwnModelRow.chat_id == entry.chat_id if user_id is None else OwnModelRow.user_id == user_id
    former = (await session.scalars(select(OwnModelRow).where(whose).with_for_update())).one_or_none()
    same = select(OwnModelRow).where(OwnModelRow.name == entry.name).with_for_update()
    row = (await session.scalars(same)).one_or_none()
    if row is not None and row is not former and (row.user_id is not None or row.chat_id is not None):
        raise ConflictError("expected a model without an owner, got the own model of somebody else")
    is_used = former is None or former.is_used
    if former is not None and former is not row:
        await _unassign(former, session=session)
    if row is None:
        row = OwnModelRow(name=entry.name)
        session.add(row)
    if row.version != entry.version:
        row.creation_datetime = people.now()
    row.user_id, row.chat_id, row.is_used = user_id, entry.chat_id, is_used
    for field in ("version", "instead_of", "wer_before", "wer_after", "operator"):
        setattr(row, field, getattr(entry, field))
    await session.flush()
    if user_id is not None and entry.news is not None:
        await announcements.add_own_news(row.id, user_id, entry.news, session=session)
    return _as_record(row)


async def find(tg_id: int | None, chat_id: int | None, *, session: AsyncSession) -> tuple[OwnModelRecord, ...]:
    """Return the own model of a person and the own model of a chat.

    If both arguments are None, return all own models that are assigned to a person or chat.
    """
    whose = [_is_of(tg_id)] if tg_id is not None else []
    if chat_id is not None:
        whose.append(OwnModelRow.chat_id == chat_id)
    query = select(OwnModelRow).where(or_(*whose) if whose else _IS_OWNED).order_by(OwnModelRow.id)
    rows = await session.scalars(query)
    return tuple(_as_record(row) for row in rows)


async def choose(choice: OwnModelChoice, *, session: AsyncSession) -> OwnModelRecord:
    """Store whether the own model or the champion answers a person or a group.

    Raises:
        NotFoundError: the person or group has no own model.
    """
    whose = OwnModelRow.chat_id == choice.chat_id if choice.tg_id is None else _is_of(choice.tg_id)
    row = (await session.scalars(select(OwnModelRow).where(whose).with_for_update())).one_or_none()
    if row is None:
        raise NotFoundError("expected a person or a group with an own model")
    row.is_used = choice.is_used
    return _as_record(row)


async def retire(own_model_id: int, *, session: AsyncSession) -> None:
    """Retire an own model: end its assignment to a person or group.

    Raises:
        NotFoundError: there is no own model with this number.
    """
    row = await session.get(OwnModelRow, own_model_id, with_for_update=True)
    if row is None:
        raise NotFoundError("expected the number of an own model", param="own_model_id")
    await _unassign(row, session=session)


async def of_person(user_id: int, *, session: AsyncSession) -> OwnModelRecord | None:
    """Return the own model of a person; None if there is none."""
    row = (await session.scalars(select(OwnModelRow).where(OwnModelRow.user_id == user_id))).one_or_none()
    return None if row is None else _as_record(row)


async def forget(user_id: int, *, session: AsyncSession) -> None:
    """End the assignment of a person's own model, so that the files of the model are deleted."""
    await session.execute(update(OwnModelRow).where(OwnModelRow.user_id == user_id).values(user_id=None))


async def move_chat(chat_id: int, new_chat_id: int, *, session: AsyncSession) -> None:
    """Move the own model of a group to the new id of the group, unless the new id has an own model already."""
    taken = select(OwnModelRow.id).where(OwnModelRow.chat_id == new_chat_id)
    if await session.scalar(taken) is None:
        moved = update(OwnModelRow).where(OwnModelRow.chat_id == chat_id)
        await session.execute(moved.values(chat_id=new_chat_id))


async def to_delete(*, session: AsyncSession) -> tuple[OwnModelRecord, ...]:
    """Return the models that are not assigned any more and whose files must be deleted."""
    rows = await session.scalars(select(OwnModelRow).where(~_IS_OWNED).order_by(OwnModelRow.id))
    return tuple(_as_record(row) for row in rows)


async def deleted(own_model_id: int, *, session: AsyncSession) -> None:
    """Delete the row of a model whose files are deleted; a repeated call does nothing.

    Raises:
        ConflictError: the model is still assigned.
    """
    await session.execute(delete(OwnModelRow).where(and_(OwnModelRow.id == own_model_id, ~_IS_OWNED)))
    if await session.get(OwnModelRow, own_model_id) is not None:
        raise ConflictError("expected a model without an owner, got the own model of somebody")


async def _person(entry: OwnModelEntry, *, session: AsyncSession) -> int:
    if entry.tg_id is not None:
        return (await people.load(entry.tg_id, session=session, locked=True)).id
    message = await session.get(TranscriptionRow, entry.transcription_id)
    if message is None:
        raise NotFoundError("expected a message that is stored", param="transcription_id")
    return message.user_id


async def _unassign(row: OwnModelRow, *, session: AsyncSession) -> None:
    """End the assignment of a model, and delete the news about the model that were not sent yet."""
    row.user_id = row.chat_id = None
    await session.flush()
    await announcements.drop_unsent_own_news(row.id, session=session)


def _is_of(tg_id: int) -> ColumnElement[bool]:
    return OwnModelRow.user_id == select(UserRow.id).where(UserRow.tg_id == tg_id).scalar_subquery()


def _as_record(row: OwnModelRow) -> OwnModelRecord:
    fields = ("id", "name", "version", "instead_of", "wer_before", "wer_after", "is_used", "creation_datetime")
    values = {field: getattr(row, field) for field in fields}
    return OwnModelRecord(**values, is_of_chat=row.chat_id is not None)
