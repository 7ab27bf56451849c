"""Store and redeem the links with which people sign in to the web pages.

Each link can be used once, within some minutes. The link contains a token; only the SHA-256 hash of the token is
stored.
"""

from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.login_bodies import LOGIN_MINUTES
from glas.db.login_tables import WebLoginRow
from glas.db.session import insert
from glas.db.tables import UserRow
from glas.db_assist import people
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.people import User


async def offer(tg_id: int, token_sha256: str, *, session: AsyncSession) -> None:
    """Store the hash of a token with which a person can sign in; earlier tokens of this person become invalid.

    Raises:
        UnknownPersonError: the person is not registered.
        ForbiddenError: the person is banned.
        ConflictError: the token is already stored for another person.
    """
    person = await people.lock(tg_id, session=session)
    mine = WebLoginRow.user_id == person.id
    await session.execute(delete(WebLoginRow).where(mine, WebLoginRow.token_sha256 != token_sha256))
    new = insert(session, WebLoginRow).values(
        token_sha256=token_sha256,
        user_id=person.id,
        expiry_datetime=people.now() + timedelta(minutes=LOGIN_MINUTES),
    )
    await session.execute(new.on_conflict_do_nothing(index_elements=["token_sha256"]))
    found = await session.get(WebLoginRow, token_sha256)
    if found is None or found.user_id != person.id:
        raise ConflictError("this token was offered to somebody else", param="token_sha256")


async def redeem(token_sha256: str, *, session: AsyncSession) -> User:
    """Mark a token as used, and return the person for whom it was stored.

    Raises:
        NotFoundError: the token was used already, has expired, or was never stored.
        ForbiddenError: the person is banned.
    """
    now, row = people.now(), WebLoginRow
    # This is one statement, so if a token is redeemed twice at the same time, the second call finds it used.
    open_ = (row.token_sha256 == token_sha256, row.used_datetime.is_(None), row.expiry_datetime > now)
    used = update(row).where(*open_).values(used_datetime=now).returning(row.user_id)
    user_id = (await session.scalars(used)).one_or_none()
    person = None if user_id is None else await session.get(UserRow, user_id)
    if person is None or person.tg_id is None:
        raise NotFoundError("expected a token that has neither been used nor expired", param="token_sha256")
    people.allowed(person)
    return await people.find(person.tg_id, session=session)


async def forget(user_id: int, *, session: AsyncSession) -> None:
    """Delete the tokens of a person."""
    await session.execute(delete(WebLoginRow).where(WebLoginRow.user_id == user_id))


async def delete_expired(*, session: AsyncSession) -> None:
    """Delete expired tokens."""
    await session.execute(delete(WebLoginRow).where(WebLoginRow.expiry_datetime <= people.now()))
