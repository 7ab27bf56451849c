"""The typed client of db_assist, the only service that uses the database.

The bodies of requests are in `db_assist_bodies`.

Every write may be repeated: the same call gives the same answer and has no further effect. Some values can be set only
once, such as the text of a message. A later call with another value then raises a `ConflictError`. Each method may also
raise `InvalidParameterError`, and `ServiceError` if the service cannot be reached or fails. The client does not check
values, only the service does. So a wrong value causes the same error in this process and over TCP.
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
    Reward,
    Standing,
    Statistics,
    UsageRecord,
)
from glas.clients.holding import HoldingCalls
from glas.clients.http import call
from glas.clients.learning import LearningCalls
from glas.clients.logins import LoginCalls
from glas.clients.model_records import ModelCalls
from glas.clients.own_models import OwnModelCalls
from glas.clients.rating_calls import RatingCalls
from glas.clients.reviews import ReviewCalls
from glas.clients.second_hypotheses import SecondCalls
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
    LearningCalls,
    LoginCalls,
    ModelCalls,
    OwnModelCalls,
    RatingCalls,
    ReviewCalls,
    SecondCalls,
    VocabularyCalls,
):
    """Calls db_assist, in this process or in another process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ready(self) -> Health:
        """Return the state of the service; raise a `GlasError` if it cannot work with its database."""
        return Health.model_validate(await self._call("GET", "/ready"))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # People

    async def register(self, tg_id: int, *, locale: Locale = Locale.RU) -> User:
        """Register a person. If the person is registered already, change nothing, not even the language."""
        return User.model_validate(
            await self._call("PUT", f"/users/{tg_id}", LocaleChoice.model_construct(locale=locale))
        )

    async def user(self, tg_id: int) -> User:
        """Return a person.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        return User.model_validate(await self._call("GET", f"/users/{tg_id}"))

    async def set_locale(self, tg_id: int, locale: Locale) -> User:
        """Set the language in which the bot writes to a person."""
        return User.model_validate(
            await self._call("PUT", f"/users/{tg_id}/locale", LocaleChoice.model_construct(locale=locale))
        )

    async def set_consent(self, tg_id: int, purpose: Purpose, *, granted: bool, text_version: str) -> User:
        """Store that a person gave or withdrew a consent, and which version of the consent's wording they saw."""
        body = ConsentChoice.model_construct(granted=granted, text_version=text_version)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/consents/{purpose}", body))

    async def standing(self, party: str, tg_id: int | None = None) -> Standing:
        """Return the usage of a party in the last 24 hours, and the person if a registered person has the id `tg_id`.

        Args:
            party: the pseudonym under which the usage of the party is counted.
            tg_id: Telegram id of the person; None if the person is not known.
        """
        return Standing.model_validate(await self._call("GET", "/standing", params={"party": party, "tg_id": tg_id}))

    async def count_usage(self, record: UsageRecord) -> None:
        """Count a recording towards the daily limit of its party.

        Call this only for a recording about which nothing else is stored. For other recordings, `finish` counts the
        usage.
        """
        await self._call("POST", "/usage", record)

    async def chat(self, bot_id: int, chat_id: int) -> ChatSettings:
        """Return the settings of the bot in a chat; if none are stored, return the default settings."""
        return ChatSettings.model_validate(await self._call("GET", f"/chats/{bot_id}/{chat_id}"))

    async def set_chat(self, bot_id: int, chat_id: int, settings: ChatSettings) -> ChatSettings:
        """Change the settings of the bot in a chat.

        The caller must check that the change was requested by an administrator of the chat.
        """
        return ChatSettings.model_validate(await self._call("PUT", f"/chats/{bot_id}/{chat_id}", settings))

    async def move_chat(self, bot_id: int, chat_id: int, new_chat_id: int) -> ChatSettings:
        """Copy the settings of a chat to the new id of the chat, unless settings are stored for the new id."""
        body = ChatMove.model_construct(new_chat_id=new_chat_id)
        return ChatSettings.model_validate(await self._call("POST", f"/chats/{bot_id}/{chat_id}/move", body))

    # Messages

    async def create_transcription(self, new: NewTranscription) -> Transcription:
        """Create the row of a message. In the object store, the keys of the message's files begin with this row's id.

        If a repeated call contains another chat id or message id of the bot's answer, these ids replace the stored ids.

        Raises:
            NotFoundError: the sender is not registered.
            ForbiddenError: the sender is banned.
            ConflictError: this message and attempt were recorded with another sender, file or kind.
        """
        return Transcription.model_validate(await self._call("POST", "/transcriptions", new))

    async def set_answer(
        self, transcription_id: int, answer_message_id: int, *, chat_id: int | None = None
    ) -> Transcription:
        """Store the message id of the bot's answer, and the answer's chat if it is not the recording's chat.

        A later call replaces the ids that an earlier call stored.
        """
        body = AnswerPlace.model_construct(answer_message_id=answer_message_id, answer_chat_id=chat_id)
        return await self._put(transcription_id, "answer", body)

    async def archive(self, transcription_id: int, *, audio_key: str, sha256: str, size_bytes: int) -> Transcription:
        """Store that the recording of a message is in the object store. Call this before or after `finish`.

        Raises:
            ConflictError: other bytes are stored for this message.
        """
        body = Archived.model_construct(audio_key=audio_key, audio_sha256=sha256, audio_size_bytes=size_bytes)
        return await self._put(transcription_id, "archive", body)

    async def finish(self, transcription_id: int, finished: Finished) -> Transcription:
        """Store the result of the recognition of a message.

        Raises:
            ConflictError: another text or a failure is stored already.
        """
        return await self._put(transcription_id, "result", finished)

    async def fail(self, transcription_id: int, code: str) -> Transcription:
        """Store the reason why the recognition of a message gave no text.

        If the sender presses the button «Повторить» (repeat), a new attempt begins, for which a new row is created.

        Raises:
            ConflictError: a text or another failure is stored already.
        """
        return await self._put(transcription_id, "failure", Failed.model_construct(failure_code=code))

    async def transcription(self, transcription_id: int) -> Transcription:
        """Find a message by its id.

        Raises:
            NotFoundError: there is no such message.
        """
        return Transcription.model_validate(await self._call("GET", f"/transcriptions/{transcription_id}"))

    async def by_message(self, bot_id: int, chat_id: int, answer_message_id: int) -> Transcription:
        """Find a message by the message id of the bot's answer.

        Raises:
            NotFoundError: there is no such message.
        """
        params = {"bot_id": bot_id, "chat_id": chat_id, "answer_message_id": answer_message_id}
        return Transcription.model_validate(await self._call("GET", "/transcriptions/by-message", params=params))

    async def same_file(
        self, file_unique_id: str, *, model: ModelRef | None = None, keywords_sha256: str | None = None
    ) -> Transcription | None:
        """Return the newest message that has a text and whose recording is the same file; None if there is none.

        Args:
            file_unique_id: Telegram's id of the file, which is the same for all bots.
            model: if given, only texts that this version of this model recognised are considered.
            keywords_sha256: digest of the keywords (see `glas.domain.vocabulary.digest`). If it is given together with
                `model`, only texts that were recognised with these keywords are considered.
        """
        params = {"file_unique_id": file_unique_id}
        if model is not None:
            params |= {"model": model.name, "model_version": model.version, "keywords_sha256": keywords_sha256 or ""}
        return _known_file.validate_python(await self._call("GET", "/transcriptions/by-file", params=params))

    async def rate(self, transcription_id: int, tg_id: int, score: Score) -> Reward:
        """Store a person's rating of the text of a message.

        The message's score, the ledger, and the person's cash and role change in one transaction. Only the first rating
        is paid.

        Raises:
            NotFoundError: the message or the person does not exist.
            ForbiddenError: the message belongs to another person, or the person is banned.
            ConflictError: the message has no text.
        """
        body = Rating.model_construct(tg_id=tg_id, score=score)
        return Reward.model_validate(await self._call("PUT", f"/transcriptions/{transcription_id}/rating", body))

    async def changed_since(self, cursor: str = "", *, limit: int = 500) -> Page[Change]:
        """Return a page of finished messages in the order of their last change; no change is skipped.

        Changes are ratings, corrections, archiving, deletions and a changed consent of the speaker. A message with
        several changes is returned once, in its present state.

        Args:
            cursor: `next_cursor` of the previous page, which never expires; empty for the first page.
            limit: largest number of items, up to 5,000.
        """
        params = {"cursor": cursor, "limit": limit}
        return Page[Change].model_validate(await self._long("GET", "/changes", params=params))

    # Figures

    async def check_ledger(self) -> LedgerCheck:
        """Check that the cash of each person is the sum of their ledger entries."""
        return LedgerCheck.model_validate(await self._long("GET", "/ledger/check"))

    async def statistics(self) -> Statistics:
        """Count people, messages, ratings, corrections and payments, for administrators."""
        return Statistics.model_validate(await self._long("GET", "/statistics"))

    async def _put(self, transcription_id: int, what: str, body: BaseModel) -> Transcription:
        return Transcription.model_validate(await self._call("PUT", f"/transcriptions/{transcription_id}/{what}", body))

    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any:
        return await call(self._http, method, path, timeout_s=_TIMEOUT_S, params=params, body=body)

    async def _long(self, method: str, path: str, params: dict[str, Any] | None = None) -> Any:
        return await call(self._http, method, path, timeout_s=_LONG_TIMEOUT_S, params=params)
