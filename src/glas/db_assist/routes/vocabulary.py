"""Routes about vocabularies."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import ChatId, TgId
from glas.clients.vocabulary_bodies import MOST_KEYWORDS, Keywords, NewWords
from glas.db_assist import people, vocabulary
from glas.db_assist.routes import PersonPath, RowPath, agreement, database
from glas.domain.vocabulary import VocabularyWord

router = APIRouter()


@router.get("/users/{tg_id}/words")
async def words(request: Request, tg_id: PersonPath) -> tuple[VocabularyWord, ...]:
    """Return a person's vocabulary, the newest word first."""
    async with database(request).reading() as session:
        user = await people.load(tg_id, session=session)
        return await vocabulary.words_of(user.id, session=session)


@router.put("/users/{tg_id}/words")
async def add_words(request: Request, tg_id: PersonPath, new: NewWords) -> tuple[VocabularyWord, ...]:
    """Add words to a person's vocabulary by hand."""
    async with database(request).writing() as session:
        return await vocabulary.add(tg_id, new.words, session=session)


@router.delete("/users/{tg_id}/words/{word_id}")
async def remove_word(request: Request, tg_id: PersonPath, word_id: RowPath) -> tuple[VocabularyWord, ...]:
    """Remove a word from a person's vocabulary."""
    async with database(request).writing() as session:
        return await vocabulary.remove(tg_id, word_id, session=session)


@router.get("/keywords")
async def keywords(
    request: Request,
    chat_id: Annotated[ChatId, Query()],
    tg_id: Annotated[TgId | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_KEYWORDS)] = MOST_KEYWORDS,
) -> Keywords:
    """Return keywords for a recording, from the vocabularies of the person, the chat and the installation."""
    async with database(request).reading() as session:
        return await vocabulary.choose(chat_id, tg_id, limit, agreement=agreement(request), session=session)
