"""Read and change the rows of people: identity, consents, rights."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from glas.clients.db_assist_bodies import ConsentChoice
from glas.db.session import insert
from glas.db.tables import ConsentRow, TranscriptionRow, UserRow, table_of
from glas.db_assist import audit
from glas.db_assist.changes import last_consent, next_sequence
from glas.domain.audit import Action
from glas.domain.errors import ForbiddenError, InvalidParameterError, UnknownPersonError
from glas.domain.messages import Status
from glas.domain.people import SHARED_ACCOUNTS, Locale, Purpose, Role, User

DAY = timedelta(hours=24)

# This runs for every message, so it is one statement without ORM objects, built once.
_users: Final = table_of(UserRow)
_WITH_CONSENTS: Final = select(
    *_users.c, *(last_consent(UserRow.id, purpose).label(purpose.value) for purpose in Purpose)
).where(_users.c.tg_id == bindparam("tg_id"))


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


async def register(tg_id: int, locale: Locale, *, session: AsyncSession) -> User:
    """Store a new person; if the person is registered already, return the stored person.

    Raises:
        InvalidParameterError: the id belongs to an account that Telegram uses for many people or channels.
    """
    if tg_id in SHARED_ACCOUNTS:
        raise InvalidParameterError("expected a person, got an account that many people share", param="tg_id")
    new = insert(session, UserRow).values(
        tg_id=tg_id,
        registration_datetime=now(),
        cash_hundredths=0,
        role=Role.USER.value,
        is_reviewer=False,
        is_banned=False,
        locale=locale.value,
    )
    await session.execute(new.on_conflict_do_nothing(index_elements=["tg_id"]))
    return await find(tg_id, session=session)


async def find(tg_id: int, *, session: AsyncSession) -> User:
    """Return a person with their consents.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    return as_user(await load(tg_id, session=session))


def as_user(row: UserRow) -> User:
    """Convert a row, whose consents must be loaded already, to the class `User`."""
    return User.model_validate(row, from_attributes=True)


async def lock(tg_id: int, *, session: AsyncSession) -> UserRow:
    """Lock a person's row until the transaction ends, and return the row.

    The lock ensures that payments to one person are decided one after another.

    Raises:
        UnknownPersonError: the person is not registered.
        ForbiddenError: the person is banned.
    """
    # FOR NO KEY UPDATE: other transactions can still insert rows that refer to the person.
    query = select(UserRow).where(UserRow.tg_id == tg_id).with_for_update(key_share=True)
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise unknown()
    return allowed(row)


async def sender(tg_id: int, *, session: AsyncSession) -> UserRow:
    """Return the sender of a message, and prevent the deletion of the row until the transaction ends.

    Raises:
        UnknownPersonError: the person is not registered.
        ForbiddenError: the person is banned.
    """
    # FOR KEY SHARE: a deletion of this person waits for this transaction, or this transaction waits for the deletion
    # and then finds nobody.
    query = select(UserRow).where(UserRow.tg_id == tg_id).with_for_update(read=True, key_share=True)
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise unknown()
    return allowed(row)


def allowed(row: UserRow) -> UserRow:
    """Return the row unchanged, if the person is not banned.

    Raises:
        ForbiddenError: the person is banned.
    """
    if row.is_banned:
        raise ForbiddenError("this person is banned")
    return row


async def set_locale(tg_id: int, locale: Locale, *, session: AsyncSession) -> User:
    """Set the language of a person."""
    row = await load(tg_id, session=session)
    row.locale = locale.value
    return as_user(row)


async def set_role(tg_id: int, role: Role, *, by: int | None = None, session: AsyncSession) -> User:
    """Set the role of a person; `by` is the Telegram id of the administrator who does this, or None."""
    row = await load(tg_id, session=session, locked=True)
    before, row.role = row.role, role.value
    values = {"role": before}, {"role": row.role}
    await audit.write(by, Action.ROLE, subject=row, before=values[0], after=values[1], session=session)
    return as_user(row)


async def set_consent(tg_id: int, purpose: Purpose, choice: ConsentChoice, *, session: AsyncSession) -> User:
    """Store a person's decision about a consent, unless the last stored decision is the same.

    If the decision changes the consent to training, all messages of the person count as changed, so that the next
    export reads them.
    """
    row = await load(tg_id, session=session, locked=True)
    last = next((one for one in reversed(row.consent_history) if one.purpose == purpose), None)
    if last is not None and (last.granted, last.text_version) == (choice.granted, choice.text_version):
        return as_user(row)
    row.consent_history.append(
        ConsentRow(
            purpose=purpose.value,
            granted=choice.granted,
            text_version=choice.text_version,
            creation_datetime=now(),
        )
    )
    if purpose is Purpose.TRAINING and choice.granted != (last is not None and last.granted):
        await _mark_messages(row.id, session=session)
    return as_user(row)


async def known(tg_id: int, *, session: AsyncSession) -> User | None:
    """Return a person with their consents; None if no such person is registered."""
    row = (await session.execute(_WITH_CONSENTS, {"tg_id": tg_id})).mappings().one_or_none()
    if row is None:
        return None
    consents = frozenset(purpose for purpose in Purpose if row[purpose.value])
    return User.model_validate({**row, "consents": consents})


async def load(tg_id: int, *, session: AsyncSession, locked: bool = False) -> UserRow:
    """Return a person's row with all consents.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    query = select(UserRow).where(UserRow.tg_id == tg_id).options(selectinload(UserRow.consent_history))
    if locked:
        query = query.with_for_update(key_share=True)
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise unknown()
    return row


async def _mark_messages(user_id: int, *, session: AsyncSession) -> None:
    """Mark all finished messages of a person as changed, so that the next export reads them."""
    mine = (TranscriptionRow.user_id == user_id, TranscriptionRow.status == Status.DONE.value)
    # Lock the messages before the counter, as all transactions do, to avoid deadlocks.
    await session.execute(select(TranscriptionRow.id).where(*mine).order_by(TranscriptionRow.id).with_for_update())
    sequence = await next_sequence(session=session)
    await session.execute(
        update(TranscriptionRow).where(*mine).values(change_sequence=sequence, changed_datetime=now())
    )


def unknown() -> UnknownPersonError:
    """Return the error that is raised if a person is not registered."""
    # The message does not contain the id, because it is logged.
    return UnknownPersonError("expected a registered person, got somebody who is not", param="tg_id")
