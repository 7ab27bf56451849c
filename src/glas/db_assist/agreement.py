"""Find the vocabularies of chats and of the whole installation: names that several people wrote in corrections.

Glas does not store how many people wrote a word in corrections, but counts these people whenever the number is needed.
So no stored number must be changed when a person's data is deleted, a correction is undone or a consent is withdrawn.
With 56,000 words from corrections of 3,000 people in an SQLite file, counting for the whole installation takes 180 ms.
Therefore the result for the installation is cached for some time. The cache contains only words, and no information
about people.
"""

import asyncio
import time
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.vocabulary_bodies import MOST_KEYWORDS
from glas.db.tables import UserRow, VocabularyWordRow
from glas.db_assist.changes import last_consent
from glas.domain.people import Purpose
from glas.settings import DbAssistSettings

_row = VocabularyWordRow
_N_PEOPLE: Final = func.count(distinct(_row.user_id))
_MAY_TEACH: Final = UserRow.is_banned.is_(False)
_MAY_TEACH_ALL: Final = and_(_MAY_TEACH, last_consent(UserRow.id, Purpose.TRAINING).is_(True))


class Name(NamedTuple):
    """A word that is a name (see `glas.domain.vocabulary`): its form under RU-NORM, and its spelling."""

    normalised: str
    word: str


class Agreement:
    """Finds the names that enough people wrote in corrections; caches those of the whole installation for some time."""

    def __init__(self, settings: DbAssistSettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._of_all: list[Name] = []
        self._until_s = -1.0
        self._n_expired = 0

    async def of_chat(self, chat_id: int, *, session: AsyncSession) -> list[Name]:
        """Return the names that enough members of a group wrote in corrections in this group, the newest first."""
        enough = self._settings.vocabulary_chat_people
        return await _agreed(_row.chat_id == chat_id, _MAY_TEACH, enough, by_people=False, session=session)

    async def of_all(self, *, session: AsyncSession) -> list[Name]:
        """Return the names that enough people of the installation wrote in corrections.

        Only people who consent to training are counted. The names are sorted by the number of people who wrote them,
        the largest number first.
        """
        async with self._lock:
            if time.monotonic() < self._until_s:
                return self._of_all
            n_expired, enough = self._n_expired, self._settings.vocabulary_people
            found = await _agreed(_row.is_name.is_(True), _MAY_TEACH_ALL, enough, by_people=True, session=session)
            if n_expired == self._n_expired:
                self._of_all = found
                self._until_s = time.monotonic() + self._settings.vocabulary_refresh_s
            return found

    def expire(self) -> None:
        """Clear the cache; call this after a person's data was deleted or a consent was withdrawn."""
        self._of_all, self._until_s = [], -1.0
        self._n_expired += 1


async def _agreed(
    condition: ColumnElement[bool],
    may_teach: ColumnElement[bool],
    n_people: int,
    *,
    by_people: bool,
    session: AsyncSession,
) -> list[Name]:
    """Return the names that enough different people wrote in corrections.

    Args:
        condition: SQL condition that selects the rows of vocabularies to count.
        may_teach: SQL condition that selects the people who are counted.
        n_people: least number of people who must have written a name in corrections. A person who only added the name
            by hand is not counted.
        by_people: if True, the names are sorted by the number of people who wrote them, the largest number first; if
            False, the newest names come first.
        session: the caller's database transaction.
    """
    teachers = _row.user_id.in_(select(UserRow.id).where(may_teach))
    last = func.max(_row.id).label("id")
    query = select(last, _N_PEOPLE.label("n_people")).where(condition, _row.is_name, teachers)
    query = query.where(_row.transcription_id.is_not(None)).group_by(_row.normalised).having(n_people <= _N_PEOPLE)
    order = (_N_PEOPLE.desc(), last.desc()) if by_people else (last.desc(),)
    agreed = query.order_by(*order).limit(MOST_KEYWORDS).subquery()
    chosen = select(_row.normalised, _row.word).join(agreed, agreed.c.id == _row.id)
    # The outer query does not keep the order of its subquery.
    order = (agreed.c.n_people.desc(), agreed.c.id.desc()) if by_people else (agreed.c.id.desc(),)
    return [Name(*one) for one in await session.execute(chosen.order_by(*order))]
