"""Add words from corrections to vocabularies, show and change a person's vocabulary, and choose keywords.

A person's vocabulary contains names (see `glas.domain.vocabulary`) that the person wrote in at least one correction,
other words that the person wrote in corrections of at least two messages, and words added by hand.
`glas.db_assist.agreement` computes the vocabularies of chats and of the installation.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy import case, delete, distinct, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.vocabulary_bodies import Keywords
from glas.db.correction_tables import CorrectionChangeRow
from glas.db.session import insert
from glas.db.tables import TranscriptionRow, UserRow, VocabularyWordRow
from glas.db_assist import people
from glas.db_assist.agreement import Agreement, Name
from glas.domain.corrections import Rank
from glas.domain.errors import ConflictError, InvalidParameterError
from glas.domain.text import normalise
from glas.domain.vocabulary import MESSAGES_OF_A_WORD, MOST_CHARS, PutRight, VocabularyWord, spelled, words_put_right

MOST_WORDS: Final = 1000
"""Largest number of words in one person's vocabulary; further words are not added, not even by hand."""

_row = VocabularyWordRow
_is_by_hand: Final = _row.transcription_id.is_(None)
_is_certain: Final = func.max(case((or_(_row.is_name, _is_by_hand), 1), else_=0)) == 1
_is_used: Final = or_(_is_certain, func.count() >= MESSAGES_OF_A_WORD)


async def learn(row: TranscriptionRow, change: CorrectionChangeRow, *, session: AsyncSession) -> None:
    """Update the vocabulary of a message's author after a change of the message's words.

    The words that earlier changes of this message added are removed, and the words that the given change corrects are
    added.

    Args:
        row: the row of the message; it must be locked.
        change: the change with the new current words. If these are doubtful or are the recognised text, no words are
            added.
        session: the caller's database transaction.
    """
    right: tuple[PutRight, ...] = ()
    if change.reference is not None and change.rank != Rank.DOUBTFUL:
        # In a thread, because a long text takes half a second.
        right = await asyncio.to_thread(words_put_right, row.text or "", change.reference)
    of_message = _row.transcription_id == row.id
    await session.execute(delete(_row).where(of_message, _row.normalised.not_in([one.normalised for one in right])))
    room = MOST_WORDS - await _count(row.user_id, session=session)
    chat_id = row.answer_chat_id or row.chat_id
    values = [
        {
            **one._asdict(),
            "user_id": row.user_id,
            "transcription_id": row.id,
            "change_id": change.id,
            "chat_id": chat_id if chat_id < 0 else None,  # the id of a private chat is that of a person
            "creation_datetime": people.now(),
        }
        for one in right[: max(room, 0)]
    ]
    if values:
        unchanged = ["transcription_id", "normalised"]
        await session.execute(insert(session, _row).values(values).on_conflict_do_nothing(index_elements=unchanged))


async def learned(change: CorrectionChangeRow, *, session: AsyncSession) -> tuple[str, ...]:
    """Return the words that a correction of a message added to the vocabulary of this message's author."""
    taught = list(await session.scalars(select(_row).where(_row.change_id == change.id).order_by(_row.id)))
    if not taught:
        return ()
    of_words = (_row.user_id == taught[0].user_id, _row.normalised.in_([one.normalised for one in taught]))
    earlier = list(await session.scalars(select(_row).where(*of_words, _row.id < taught[0].id)))
    return tuple(one.word for one in taught if _is_new(one, [it for it in earlier if it.normalised == one.normalised]))


def _is_new(row: VocabularyWordRow, earlier: Sequence[VocabularyWordRow]) -> bool:
    """Return whether a row has added its word to the vocabulary; `earlier` are all older rows of this word."""
    was_certain = any(one.is_name or one.transcription_id is None for one in earlier)
    if was_certain or len(earlier) >= MESSAGES_OF_A_WORD:
        return False
    return row.is_name or len(earlier) + 1 == MESSAGES_OF_A_WORD


async def words_of(user_id: int, *, session: AsyncSession, with_unused: bool = False) -> tuple[VocabularyWord, ...]:
    """Return the vocabulary of a person, the newest word first.

    With `with_unused`, also return everyday words that the person wrote in the correction of only one message.
    """
    query = select(_row).where(_row.user_id == user_id).order_by(_row.id.desc())
    of_word: dict[str, list[VocabularyWordRow]] = {}
    for row in await session.scalars(query):
        of_word.setdefault(row.normalised, []).append(row)
    words = (_described(rows) for rows in of_word.values())
    return tuple(word for word in words if word.is_used or with_unused)


def _described(rows: Sequence[VocabularyWordRow]) -> VocabularyWord:
    """Make the vocabulary entry of one word from all rows of this word; the rows are sorted, the newest first."""
    n_messages = sum(row.transcription_id is not None for row in rows)
    is_added = n_messages < len(rows)
    return VocabularyWord(
        id=rows[0].id,
        word=rows[0].word,
        n_messages=n_messages,
        is_added=is_added,
        is_used=is_added or n_messages >= MESSAGES_OF_A_WORD or any(row.is_name for row in rows),
        creation_datetime=rows[0].creation_datetime,
    )


async def add(tg_id: int, words: Sequence[str], *, session: AsyncSession) -> tuple[VocabularyWord, ...]:
    """Add words to a person's vocabulary by hand, and return the whole vocabulary.

    Raises:
        UnknownPersonError: the person is not registered.
        ForbiddenError: the person is banned.
        InvalidParameterError: an entry is neither a word nor a short phrase.
        ConflictError: the vocabulary would contain too many words.
    """
    user = await people.lock(tg_id, session=session)
    values = [
        {"user_id": user.id, "word": word, "normalised": normalise(word), "is_name": True, "creation_datetime": now}
        for word, now in ((_checked(word), people.now()) for word in words)
    ]
    await session.execute(insert(session, _row).values(values).on_conflict_do_nothing())
    if await _count(user.id, session=session) > MOST_WORDS:
        raise ConflictError(f"expected at most {MOST_WORDS} words in a vocabulary", param="words")
    return await words_of(user.id, session=session)


def _checked(word: str) -> str:
    found = spelled(word)
    if found is None:
        raise InvalidParameterError(f"expected a word or short phrase of up to {MOST_CHARS} letters", param="words")
    return found


async def remove(tg_id: int, word_id: int, *, session: AsyncSession) -> tuple[VocabularyWord, ...]:
    """Remove a word from a person's vocabulary, and return the remaining words.

    All rows of the word are deleted, even if corrections of several messages contain the word.

    Raises:
        UnknownPersonError: the person is not registered.
    """
    user = await people.load(tg_id, session=session, locked=True)
    named = select(_row.normalised).where(_row.id == word_id, _row.user_id == user.id)
    normalised = (await session.scalars(named)).one_or_none()
    if normalised is not None:
        await session.execute(delete(_row).where(_row.user_id == user.id, _row.normalised == normalised))
    return await words_of(user.id, session=session)


async def forget(user_id: int, *, session: AsyncSession) -> None:
    """Delete the vocabulary of a person."""
    await session.execute(delete(_row).where(_row.user_id == user_id))


async def move_chat(chat_id: int, new_chat_id: int, *, session: AsyncSession) -> None:
    """Move the words that were corrected in a group to the new id of the group."""
    await session.execute(update(_row).where(_row.chat_id == chat_id).values(chat_id=new_chat_id))


async def choose(
    chat_id: int, tg_id: int | None, limit: int, *, agreement: Agreement, session: AsyncSession
) -> Keywords:
    """Choose at most `limit` keywords for a recording.

    The first keywords are the newest words of the person. The next ones are the newest names of the chat. The last ones
    are names that many people of the installation wrote in corrections.
    """
    # Must be the first query. A transaction of SQLite sees the database as it was at its first query. If another query
    # came before, `agreement` could count old rows and keep that count as if it were new.
    of_all = await agreement.of_all(session=session)
    found = list[Name]()
    if tg_id is not None:
        person = select(UserRow.id).where(UserRow.tg_id == tg_id).scalar_subquery()
        mine = select(func.max(_row.id).label("id")).where(_row.user_id == person)
        mine = mine.group_by(_row.normalised).having(_is_used)
        newest = mine.order_by(func.max(_row.id).desc()).limit(limit).subquery()
        chosen = select(_row.normalised, _row.word).join(newest, newest.c.id == _row.id).order_by(_row.id.desc())
        found += [Name(*one) for one in await session.execute(chosen)]
    if chat_id < 0:
        found += await agreement.of_chat(chat_id, session=session)
    words: dict[str, str] = {}
    for one in (*found, *of_all):
        words.setdefault(one.normalised, one.word)
    return Keywords(words=tuple(words.values())[:limit])


async def _count(user_id: int, *, session: AsyncSession) -> int:
    """Count the different words that are stored for a person."""
    query = select(func.count(distinct(_row.normalised))).where(_row.user_id == user_id)
    return (await session.scalars(query)).one()
