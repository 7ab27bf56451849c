"""Determine what a person may do on the web pages; only this module reads people from db_assist."""

import time
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import NotFoundError
from glas.domain.people import Role, User

_KEPT_S: Final = 3.0
_MOST_KEPT: Final = 1000


class Right(StrEnum):
    """A right that a web page can require."""

    SIGNED_IN = "signed_in"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"


def rights_of(user: User, admins: frozenset[int]) -> frozenset[Right]:
    """Return the rights of a person; a banned person has no rights.

    Args:
        user: the person.
        admins: Telegram ids of the administrators in the settings. If a person is removed from this setting, the person
            no longer has the rights of an administrator, although the role in the database is still that of an
            administrator.
    """
    if user.is_banned:
        return frozenset()
    is_admin = user.role is Role.ADMIN and user.tg_id in admins
    found = {Right.SIGNED_IN}
    if is_admin:
        found.add(Right.ADMINISTRATOR)
    if is_admin or user.is_reviewer:
        found.add(Right.REVIEWER)
    return frozenset(found)


def written(rights: Iterable[Right]) -> str:
    """Return rights as text, in the format in which a session contains them."""
    return "".join(sorted(right.value[0] for right in rights))


class People:
    """Reads people from db_assist, and caches them for some seconds, because one page causes several requests."""

    def __init__(self, db_assist: DbAssistClient) -> None:
        self._db_assist = db_assist
        self._known: dict[int, tuple[float, User | None]] = {}

    async def find(self, tg_id: int) -> User | None:
        """Return a person; None if no such person is registered, or if their data was deleted."""
        until_s, user = self._known.get(tg_id, (0.0, None))
        if time.monotonic() < until_s:
            return user
        try:
            user = await self._db_assist.user(tg_id)
        except NotFoundError:
            user = None
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[tg_id] = (time.monotonic() + _KEPT_S, user)
        return user

    def expire(self, tg_id: int) -> None:
        """Remove a person from the cache; call this when the person's data has changed."""
        self._known.pop(tg_id, None)
