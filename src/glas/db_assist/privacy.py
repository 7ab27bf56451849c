"""Collect all data that is stored about a person, or delete this data."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from glas.clients.held_bodies import ConsentRecord, Forgotten, PersonalData
from glas.db.deletions import Deletion
from glas.db.tables import ChatRow, ConsentRow, TombstoneRow, TransactionRow, TranscriptionRow, UserRow
from glas.db_assist import (
    announcements,
    audit,
    coins,
    forgetting,
    logins,
    model_people,
    own_models,
    people,
    reviews,
    second_hypotheses,
    vocabulary,
)
from glas.db_assist.changes import next_sequence
from glas.db_assist.correction_history import history_of_person
from glas.db_assist.ledger import transactions_of
from glas.db_assist.messages import as_transcription
from glas.db_assist.usage import usage_of
from glas.domain.audit import Action
from glas.domain.errors import ForbiddenError, NotFoundError
from glas.domain.object_keys import recognition_key, transcription_key
from glas.domain.people import Locale, Role

# Both databases limit the number of values in one statement.
_BATCH: Final = 10_000


async def collect(tg_id: int, party: str | None = None, *, session: AsyncSession) -> PersonalData:
    """Return all data that is stored about a person.

    Args:
        tg_id: Telegram id of the person.
        party: the pseudonym under which the person's usage is counted. If it is None, the result does not contain the
            usage.
        session: the caller's database transaction.

    Raises:
        NotFoundError: nobody with this Telegram id is registered.
    """
    user = await people.load(tg_id, session=session)
    query = select(TranscriptionRow).where(TranscriptionRow.user_id == user.id).order_by(TranscriptionRow.id)
    rows = await session.scalars(query.options(joinedload(TranscriptionRow.correction)))
    return PersonalData(
        user=people.as_user(user),
        consents=tuple(ConsentRecord.model_validate(one, from_attributes=True) for one in user.consent_history),
        transcriptions=tuple(as_transcription(row) for row in rows),
        second_hypotheses=await second_hypotheses.of_person(user.id, session=session),
        corrections=await history_of_person(user.id, session=session),
        reviews=await reviews.reviews_of_person(user.id, session=session),
        transactions=await transactions_of(user.id, session=session),
        words=await vocabulary.words_of(user.id, session=session, with_unused=True),
        models=await model_people.taught_by(user.id, session=session),
        own_model=await own_models.of_person(user.id, session=session),
        news=await announcements.news_of(user.id, session=session),
        audit=await audit.about(user.id, session=session),
        usage=None if party is None else await usage_of(party, session=session),
    )


async def forget(tg_id: int, *, by: int | None = None, session: AsyncSession) -> Forgotten:
    """Delete a person's identity and messages; do nothing if the person is not registered.

    The ledger entries stay. They refer to the person's row, which no longer contains the Telegram id. Two kinds of data
    stay for some time: the hashes of paid audio, so that the same audio is not paid again, and the usage of the last 24
    hours under a pseudonym. If the person is banned, the row contains only the Telegram id and the ban, so that nobody
    can lift a ban by deleting their data.

    Args:
        tg_id: Telegram id of the person.
        by: Telegram id of the administrator who deletes the data; None if the person deletes it.
        session: the caller's database transaction.
    """
    # FOR UPDATE and no weaker lock: it waits for messages that are being created now, which are then deleted as well.
    query = select(UserRow).where(UserRow.tg_id == tg_id).with_for_update()
    user = (await session.scalars(query)).one_or_none()
    if user is None:
        return Forgotten(transcription_ids=(), object_keys=())
    forgotten = await delete_messages(user.id, session=session)
    n_messages = len(forgotten.transcription_ids)
    await audit.write(by, Action.FORGET, subject=user, before={"n_messages": n_messages}, session=session)
    await forgetting.remember(tg_id, session=session)
    await vocabulary.forget(user.id, session=session)
    await reviews.free_held(user.id, session=session)
    await model_people.forget(user.id, session=session)
    await own_models.forget(user.id, session=session)
    await announcements.forget(user.id, session=session)
    await logins.forget(user.id, session=session)
    await session.execute(delete(ConsentRow).where(ConsentRow.user_id == user.id))
    # A private chat has the same id as the person.
    await session.execute(delete(ChatRow).where(ChatRow.chat_id == tg_id))
    await session.execute(update(TransactionRow).where(TransactionRow.user_id == user.id).values(note=None))
    user.tg_id = tg_id if user.is_banned else None
    user.registration_datetime = now = people.now()
    user.role = Role.USER.value
    user.is_reviewer = False
    user.locale = Locale.RU.value
    user.news_refusal_datetime = None
    user.ban_reason = None
    return forgotten.model_copy(update={"user_id": user.id, "deletion_datetime": now})


async def delete_message(
    transcription_id: int, tg_id: int, *, by: int | None = None, session: AsyncSession
) -> Forgotten:
    """Delete one message of a person.

    A repeated call returns the same result, but without the recording's key in the object store.

    Args:
        transcription_id: id of the message.
        tg_id: Telegram id of the person who sent the message.
        by: Telegram id of the administrator who deletes the data; None if the person deletes it.
        session: the caller's database transaction.

    Raises:
        UnknownPersonError: the person is not registered.
        NotFoundError: no message ever had this id.
        ForbiddenError: the message belongs to another person.
    """
    query = select(UserRow).where(UserRow.tg_id == tg_id).with_for_update(key_share=True)
    user = (await session.scalars(query)).one_or_none()
    if user is None:
        raise people.unknown()
    row = await session.get(TranscriptionRow, transcription_id)
    if row is None:
        if await session.get(TombstoneRow, transcription_id) is None:
            raise NotFoundError("expected a message that is stored", param="transcription_id")
        return Forgotten(transcription_ids=(transcription_id,), object_keys=_texts_of([transcription_id]))
    if row.user_id != user.id:
        raise ForbiddenError("only the person who sent a message may delete it")
    forgotten = await delete_messages(user.id, (transcription_id,), session=session)
    await audit.write(by, Action.DELETE_MESSAGE, subject=user, transcription_id=transcription_id, session=session)
    return forgotten.model_copy(update={"user_id": user.id, "deletion_datetime": people.now()})


async def forget_again(deletion: Deletion, *, session: AsyncSession) -> int | None:
    """Repeat a deletion in a restored backup that was made before the deletion.

    Returns:
        The Telegram id of the person whose data this call deleted; None if this call deleted only messages, or nothing.
    """
    if deletion.user_id is not None:
        user = await session.get(UserRow, deletion.user_id)
        if user is None:
            return None  # not yet registered when the backup was made
        # A deletion sets the time of registration of the row. So if the time is not earlier than this deletion, the
        # person's data was already deleted, and the row of a banned person is left.
        person = None if deletion.is_of_messages else user.tg_id
        if person is not None and user.registration_datetime < deletion.deletion_datetime:
            await forget(person, session=session)
            return person
    await _delete_messages_again(deletion, session=session)
    return None


async def _delete_messages_again(deletion: Deletion, *, session: AsyncSession) -> None:
    # After a restore, a new message may get the number of a deleted message that is newer than the backup.
    is_older = TranscriptionRow.creation_datetime <= deletion.deletion_datetime
    ids = deletion.transcription_ids
    for start in range(0, len(ids), _BATCH):
        batch = TranscriptionRow.id.in_(ids[start : start + _BATCH])
        query = select(TranscriptionRow.user_id, TranscriptionRow.id).where(batch, is_older)
        if deletion.user_id is not None:
            query = query.where(TranscriptionRow.user_id == deletion.user_id)
        found = (await session.execute(query)).all()
        for user_id in {user_id for user_id, _ in found}:
            only = [transcription_id for owner, transcription_id in found if owner == user_id]
            await delete_messages(user_id, only, session=session)


async def deletions(*, session: AsyncSession) -> list[Deletion]:
    """Return all deletions that can be derived from the rows of the database.

    A tombstone shows that a message was deleted. If the row of a person has no Telegram id, the person's data was
    deleted. The row of a banned person contains the Telegram id also after the deletion of the data, so the rows of all
    banned people are included.
    """
    found = dict[datetime, list[int]]()
    tombstones = await session.execute(select(TombstoneRow.deletion_datetime, TombstoneRow.transcription_id))
    for moment, transcription_id in tombstones:
        found.setdefault(moment, []).append(transcription_id)
    # A banned person keeps the Telegram id. `forget_again` sees from the time of registration whether the data of this
    # person was deleted.
    query = select(UserRow.id, UserRow.registration_datetime).where(or_(UserRow.tg_id.is_(None), UserRow.is_banned))
    people_gone = (await session.execute(query)).all()
    return [
        *(
            Deletion(user_id=None, transcription_ids=tuple(sorted(ids)), deletion_datetime=moment, is_of_messages=True)
            for moment, ids in found.items()
        ),
        *(Deletion(user_id=number, transcription_ids=(), deletion_datetime=moment) for number, moment in people_gone),
    ]


async def delete_messages(user_id: int, only: Sequence[int] | None = None, *, session: AsyncSession) -> Forgotten:
    """Delete messages with corrections and reviews; write tombstones, so that data_loader deletes exported copies.

    Args:
        user_id: id of the row of the person who sent the messages.
        only: the ids of the messages; None for all messages of the person.
        session: the caller's database transaction.
    """
    mine = TranscriptionRow.user_id == user_id
    if only is not None:
        mine = and_(mine, TranscriptionRow.id.in_(only))
    query = select(TranscriptionRow.id, TranscriptionRow.audio_key).where(mine).order_by(TranscriptionRow.id)
    found = (await session.execute(query.with_for_update())).all()
    if not found:
        return Forgotten(transcription_ids=(), object_keys=())
    await coins.let_expire(mine, session=session)
    await session.execute(delete(TranscriptionRow).where(mine))
    sequence, now = await next_sequence(session=session), people.now()
    await session.execute(
        plain_insert(TombstoneRow),
        [
            {"transcription_id": transcription_id, "change_sequence": sequence, "deletion_datetime": now}
            for transcription_id, _ in found
        ],
    )
    ids = tuple(transcription_id for transcription_id, _ in found)
    audio = [audio_key for _, audio_key in found if audio_key is not None]
    return Forgotten(transcription_ids=ids, object_keys=(*audio, *_texts_of(ids)))


def _texts_of(ids: Sequence[int]) -> tuple[str, ...]:
    """Return the keys in the object store under which the texts and kept recognitions of messages are stored."""
    return (*(transcription_key(one) for one in ids), *(recognition_key(one) for one in ids))
