"""The methods of the db_assist client for vocabularies."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.vocabulary_bodies import MOST_KEYWORDS, Keywords, NewWords
from glas.domain.vocabulary import VocabularyWord

_words = TypeAdapter(tuple[VocabularyWord, ...])


class VocabularyCalls(ABC):
    """Read and change a person's vocabulary, and get the words that are likely in a recording."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def words(self, tg_id: int) -> tuple[VocabularyWord, ...]:
        """Return a person's vocabulary, the newest word first.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        return _words.validate_python(await self._call("GET", f"/users/{tg_id}/words"))

    async def add_words(self, tg_id: int, words: Sequence[str]) -> tuple[VocabularyWord, ...]:
        """Add words that a person entered to the person's vocabulary; the words that it already contains stay.

        Returns:
            The whole vocabulary.

        Raises:
            NotFoundError: nobody registered under this id.
            ForbiddenError: the person is banned.
            InvalidParameterError: an entry is neither a word nor a short phrase.
            ConflictError: the vocabulary would contain too many words.
        """
        body = NewWords.model_construct(words=list(words))
        return _words.validate_python(await self._call("PUT", f"/users/{tg_id}/words", body))

    async def remove_word(self, tg_id: int, word_id: int) -> tuple[VocabularyWord, ...]:
        """Remove a word from a person's vocabulary; it is no error if the vocabulary does not contain the word.

        Returns:
            The words that are left.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        return _words.validate_python(await self._call("DELETE", f"/users/{tg_id}/words/{word_id}"))

    async def keywords(self, chat_id: int, tg_id: int | None, *, limit: int = MOST_KEYWORDS) -> tuple[str, ...]:
        """Return the keywords for a recording: words that are likely in the recording, the most useful word first.

        Args:
            chat_id: the chat in which the recording was sent.
            tg_id: the person who sent the recording, if known; only registered people have a vocabulary.
            limit: largest number of words, up to `MOST_KEYWORDS`.
        """
        params = {"chat_id": chat_id, "tg_id": tg_id, "limit": limit}
        return Keywords.model_validate(await self._call("GET", "/keywords", params=params)).words
