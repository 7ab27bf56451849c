"""Ban people, lift bans on request, and lift bans whose end has passed."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.ban_bodies import BanChoice
from glas.db.session import Database
from glas.db.tables import UserRow
from glas.db_assist import audit, people
from glas.domain.audit import Action
from glas.domain.people import User

LIFT_S = 5.0
"""Time in seconds between two searches for bans whose end has passed."""


async def set_ban(tg_id: int, choice: BanChoice, *, by: int | None = None, session: AsyncSession) -> User:
    """Ban a person or lift the ban; `by` is the Telegram id of the administrator.

    If the person is banned already, the reason and the end of the ban are replaced. The audit does not contain the
    reason, because the reason is personal data.
    """
    row = await people.load(tg_id, session=session, locked=True)
    before = _values(row.is_banned, row.ban_until)
    row.is_banned, row.ban_reason, row.ban_until = choice.banned, choice.reason, choice.until
    after = _values(choice.banned, choice.until)
    await audit.write(by, Action.BAN, subject=row, before=before, after=after, session=session)
    return people.as_user(row)


async def lift_ended(database: Database) -> None:
    """Lift all bans whose end has passed; if there is no such ban, write nothing to the database."""
    has_ended = UserRow.ban_until <= people.now()
    async with database.reading() as session:
        if await session.scalar(select(UserRow.id).where(UserRow.ban_until.is_not(None), has_ended).limit(1)) is None:
            return
    async with database.writing() as session:
        ended = update(UserRow).where(UserRow.ban_until.is_not(None), has_ended)
        await session.execute(ended.values(is_banned=False, ban_reason=None, ban_until=None))


def _values(is_banned: bool, until: datetime | None) -> dict[str, bool | int | str | None]:  # noqa: FBT001 - a pair
    """Return the values of a ban that the audit records."""
    return {"is_banned": is_banned, **({} if until is None else {"until": f"{until:%Y-%m-%d %H:%M}"})}
