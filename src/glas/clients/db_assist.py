"""The typed client of db_assist, the only door to the database. Its values stand in `db_assist_bodies`.

Every write may be repeated: the same call gives the same answer and changes nothing more; the same name with other
values is a `ConflictError`. Besides what the methods name, each may raise `ServiceError` (not reachable, or failed)
and `InvalidParameterError`. The service alone judges values: bodies are made here without a check, so that a wrong one
comes back as the same error from this process and from another.
"""

from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter

from glas.clients.administration import AdministrationCalls
from glas.clients.coin_calls import CoinCalls
from glas.clients.corrections import CorrectionCalls
from glas.clients.dashboard import DashboardCalls
from glas.clients.db_assist_bodies import (
    AnswerPlace,
    Archived,
    Change,
    ChatMove,
    ChatSettings,
    ConsentChoice,
    Failed,
    Finished,
    Health,
    LedgerCheck,
    LocaleChoice,
    NewTranscription,
    Page,
    Rating,
    RatingResult,
    Standing,
    Statistics,
    UsageRecord,
)
from glas.clients.holding import HoldingCalls
from glas.clients.http import call
from glas.clients.logins import LoginCalls
from glas.clients.rating_calls import RatingCalls
from glas.clients.reviews import ReviewCalls
from glas.clients.vocabulary import VocabularyCalls
from glas.domain.messages import Score, Transcription
from glas.domain.model_ref import ModelRef
from glas.domain.people import Locale, Purpose, User

_TIMEOUT_S = 30.0
_LONG_TIMEOUT_S = 300.0

_known_file: TypeAdapter[Transcription | None] = TypeAdapter(Transcription | None)


class DbAssistClient(
    AdministrationCalls,
    CoinCalls,
    CorrectionCalls,
    DashboardCalls,
    HoldingCalls,
    LoginCalls,
    RatingCalls,
    ReviewCalls,
    VocabularyCalls,
):
    """Speaks to db_assist, in this process or elsewhere."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def health(self) -> Health:
        """Ask whether the service can work."""
        return Health.model_validate(await self._call("GET", "/health"))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # People

    async def register(self, tg_id: int, *, locale: Locale = Locale.RU) -> User:
        """Make a person known; a known one stays as they are, language included."""
        return User.model_validate(
            await self._call("PUT", f"/users/{tg_id}", LocaleChoice.model_construct(locale=locale))
        )

    async def user(self, tg_id: int) -> User:
        """Find a person.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        return User.model_validate(await self._call("GET", f"/users/{tg_id}"))

    async def set_locale(self, tg_id: int, locale: Locale) -> User:
        """Change the language."""
        return User.model_validate(
            await self._call("PUT", f"/users/{tg_id}/locale", LocaleChoice.model_construct(locale=locale))
        )

    async def set_consent(self, tg_id: int, purpose: Purpose, *, granted: bool, text_version: str) -> User:
        """Record a consent or its withdrawal; every change of mind is kept with its time and the words consented to."""
        body = ConsentChoice.model_construct(granted=granted, text_version=text_version)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/consents/{purpose}", body))

    async def standing(self, party: str, tg_id: int | None = None) -> Standing:
        """Find what a party sent in the last 24 hours, together with the person, if one is named and registered.

        Args:
            party: the pseudonym under which usage is counted.
            tg_id: Telegram's id of the person.
        """
        return Standing.model_validate(await self._call("GET", "/standing", params={"party": party, "tg_id": tg_id}))

    async def count_usage(self, record: UsageRecord) -> None:
        """Count a recording of which nothing else is stored towards its party's daily limit."""
        await self._call("POST", "/usage", record)

    async def chat(self, bot_id: int, chat_id: int) -> ChatSettings:
        """Find how the bot behaves in a chat; the defaults where nobody chose."""
        return ChatSettings.model_validate(await self._call("GET", f"/chats/{bot_id}/{chat_id}"))

    async def set_chat(self, bot_id: int, chat_id: int, settings: ChatSettings) -> ChatSettings:
        """Change how the bot behaves in a chat. The caller has checked that an admin of the chat asks."""
        return ChatSettings.model_validate(await self._call("PUT", f"/chats/{bot_id}/{chat_id}", settings))

    async def move_chat(self, bot_id: int, chat_id: int, new_chat_id: int) -> ChatSettings:
        """Let a chat that got another number keep what was chosen, unless something was chosen there already."""
        body = ChatMove.model_construct(new_chat_id=new_chat_id)
        return ChatSettings.model_validate(await self._call("POST", f"/chats/{bot_id}/{chat_id}/move", body))

    # Messages

    async def create_transcription(self, new: NewTranscription) -> Transcription:
        """Record that a message has come; its id names the objects. A repeat may name another place of the answer.

        Raises:
            NotFoundError: the sender is not registered.
            ForbiddenError: the sender is banned.
            ConflictError: this message and attempt were recorded with another sender, file or kind.
        """
        return Transcription.model_validate(await self._call("POST", "/transcriptions", new))

    async def set_answer(
        self, transcription_id: int, answer_message_id: int, *, chat_id: int | None = None
    ) -> Transcription:
        """Record where the answer stands, the chat only if it is not the message's; the last word counts."""
        body = AnswerPlace.model_construct(answer_message_id=answer_message_id, answer_chat_id=chat_id)
        return await self._put(transcription_id, "answer", body)

    async def archive(self, transcription_id: int, *, audio_key: str, sha256: str, size_bytes: int) -> Transcription:
        """Record that the original bytes are stored; before the text or after it.

        Raises:
            ConflictError: other bytes were recorded before.
        """
        body = Archived.model_construct(audio_key=audio_key, audio_sha256=sha256, audio_size_bytes=size_bytes)
        return await self._put(transcription_id, "archive", body)

    async def finish(self, transcription_id: int, finished: Finished) -> Transcription:
        """Record what was recognised.

        Raises:
            ConflictError: it ended before, with another text or with a failure.
        """
        return await self._put(transcription_id, "result", finished)

    async def fail(self, transcription_id: int, code: str) -> Transcription:
        """Record why there is no text; «Повторить» is a new attempt, which is a new transcription.

        Raises:
            ConflictError: it ended before, with a text or another failure.
        """
        return await self._put(transcription_id, "failure", Failed.model_construct(failure_code=code))

    async def transcription(self, transcription_id: int) -> Transcription:
        """Find a message by its id.

        Raises:
            NotFoundError: there is none.
        """
        return Transcription.model_validate(await self._call("GET", f"/transcriptions/{transcription_id}"))

    async def by_message(self, bot_id: int, chat_id: int, answer_message_id: int) -> Transcription:
        """Find a message by its answer, to which people reply.

        Raises:
            NotFoundError: there is none.
        """
        params = {"bot_id": bot_id, "chat_id": chat_id, "answer_message_id": answer_message_id}
        return Transcription.model_validate(await self._call("GET", "/transcriptions/by-message", params=params))

    async def same_file(
        self, file_unique_id: str, *, model: ModelRef | None = None, keywords_sha256: str | None = None
    ) -> Transcription | None:
        """The newest text of the same file; None where there is none.

        Args:
            file_unique_id: Telegram's name of the file.
            model: only texts by this version of this model.
            keywords_sha256: then also only those that were made with these words, see `digest`; None for no words.
        """
        params = {"file_unique_id": file_unique_id}
        if model is not None:
            params |= {"model": model.name, "model_version": model.version, "keywords_sha256": keywords_sha256 or ""}
        return _known_file.validate_python(await self._call("GET", "/transcriptions/by-file", params=params))

    async def rate(self, transcription_id: int, tg_id: int, score: Score) -> RatingResult:
        """Rate a text: score, ledger, cash and role change together. The first rating decides what is paid.

        Raises:
            NotFoundError: no such message or person.
            ForbiddenError: the message is another person's, or this one is banned.
            ConflictError: there is no text yet.
        """
        body = Rating.model_construct(tg_id=tg_id, score=score)
        return RatingResult.model_validate(await self._call("PUT", f"/transcriptions/{transcription_id}/rating", body))

    async def changed_since(self, cursor: str = "", *, limit: int = 500) -> Page[Change]:
        """Page through finished messages in the order in which they last changed; nothing is skipped.

        Ratings, corrections, archiving and a changed consent of the speaker count as changes, deletions too. A message
        comes once, as it stands now.

        Args:
            cursor: `next_cursor` of the page before, which may be days old; empty for the beginning.
            limit: most items of a page, at most 5,000.
        """
        params = {"cursor": cursor, "limit": limit}
        return Page[Change].model_validate(await self._long("GET", "/changes", params=params))

    # Figures

    async def check_ledger(self) -> LedgerCheck:
        """Prove that everybody's cash is the sum of their ledger."""
        return LedgerCheck.model_validate(await self._long("GET", "/ledger/check"))

    async def statistics(self) -> Statistics:
        """Figures for operators."""
        return Statistics.model_validate(await self._long("GET", "/statistics"))

    async def _put(self, transcription_id: int, what: str, body: BaseModel) -> Transcription:
        return Transcription.model_validate(await self._call("PUT", f"/transcriptions/{transcription_id}/{what}", body))

    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any:
        return await call(self._http, method, path, timeout_s=_TIMEOUT_S, params=params, body=body)

    async def _long(self, method: str, path: str, params: dict[str, Any] | None = None) -> Any:
        return await call(self._http, method, path, timeout_s=_LONG_TIMEOUT_S, params=params)
