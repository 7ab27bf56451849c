"""Compute the part of the worth of a message (see `glas.db_assist.review_choice`) that depends on its words.

The worth is higher if the texts by two models differ, and if the text contains words that the last references do not
contain. A database cannot compare words well. So the database finds the messages, and this module compares their words.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.db.correction_tables import CorrectionRow
from glas.domain.corrections import Rank

_DISAGREED, _NEW_WORDS = 3.0, 1.0  # weights, see `glas.db_assist.review_choice`
_LAST_REFERENCES: Final = 2000
_WORD = re.compile(r"\w+")


class Found(NamedTuple):
    """A message that waits for a review.

    Attributes:
        id: id of the message.
        worth: the part of the worth (see `glas.db_assist.review_choice`) that does not depend on words; `ranked` adds
            the other part.
        text: the recognised text.
        second: the text that another model recognised; None if there is none.
    """

    id: int
    worth: float
    text: str | None
    second: str | None


async def ranked(found: Sequence[Found], *, session: AsyncSession) -> list[int]:
    """Return the ids of messages, the highest worth first; of messages with equal worth, the oldest first."""
    known = await _known_words(session) if found else frozenset()
    return [one.id for one in sorted(found, key=lambda one: (-one.worth - _worth_of_words(one, known), one.id))]


def _worth_of_words(one: Found, known: frozenset[str]) -> float:
    words = _words(one.text)
    worth = _NEW_WORDS * len(words - known) / max(1, len(words))
    if one.second is not None:
        others = _words(one.second)
        worth += _DISAGREED * len(words ^ others) / max(1, len(words | others))
    return worth


async def _known_words(session: AsyncSession) -> frozenset[str]:
    """Return all words of the last references; doubtful corrections are not references."""
    sure = CorrectionRow.rank != Rank.DOUBTFUL.value
    last = select(CorrectionRow.reference).where(sure).order_by(CorrectionRow.changed_datetime.desc())
    texts = await session.scalars(last.limit(_LAST_REFERENCES))
    return frozenset(word for text in texts for word in _words(text))


def _words(text: str | None) -> set[str]:
    return set(_WORD.findall((text or "").lower().replace("ё", "е")))
