"""The methods of the db_assist client for models that the gate has judged."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.model_record_bodies import (
    Announcement,
    ChoiceRequest,
    ClaimRequest,
    DecisionRequest,
    DecisionResult,
    ModelEntry,
    ModelRecord,
    NewsChoice,
    OutcomeRequest,
    QuestionRequest,
)
from glas.domain.model_records import ModelState, Outcome
from glas.domain.model_ref import ModelRef
from glas.domain.people import User

_models = TypeAdapter(tuple[ModelRecord, ...])
_announcements = TypeAdapter(tuple[Announcement, ...])
_claimed: TypeAdapter[Announcement | None] = TypeAdapter(Announcement | None)


class ModelCalls(ABC):
    """Record verdicts and decisions about models, and the announcements that the bot sends about them."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def record_model(self, entry: ModelEntry) -> ModelRecord:
        """Record a model and the gate's verdict about it.

        If the model has a record already, the verdict and the decision are added to this record. A repeated call adds
        nothing.

        Raises:
            ConflictError: the model is retired.
        """
        return ModelRecord.model_validate(await self._call("PUT", "/models", entry))

    async def models(self, state: ModelState | None = None) -> tuple[ModelRecord, ...]:
        """Return the models that the gate has judged, the newest first; with `state`, only models in this state."""
        return _models.validate_python(await self._call("GET", "/models", params={"state": state}))

    async def model(self, ref: ModelRef) -> ModelRecord | None:
        """Return the record of one version of a model; None if there is no record."""
        params = {"name": ref.name, "version": ref.version}
        found = _models.validate_python(await self._call("GET", "/models", params=params))
        return found[0] if found else None

    async def decide(self, model_id: int, decision: DecisionRequest) -> DecisionResult:
        """Change the state of a model.

        Raises:
            NotFoundError: there is no such model or person.
            ConflictError: the model does not have the state `decision.expected`, or the new state cannot follow the
                present state. For example, without `is_forced`, a model that the gate refused cannot become the
                champion.
        """
        return DecisionResult.model_validate(await self._call("POST", f"/models/{model_id}/decisions", decision))

    async def choose_model(self, choice: ChoiceRequest) -> DecisionResult:
        """Record that a person chose the model that is the champion from now on; a repeated call changes nothing.

        Raises:
            NotFoundError: there is no such person.
            ConflictError: the model is retired.
        """
        return DecisionResult.model_validate(await self._call("PUT", "/champion", choice))

    async def ask_about(self, model_id: int, bot_id: int, tg_ids: Collection[int]) -> tuple[Announcement, ...]:
        """Store that the bot must ask the administrators `tg_ids` whether a candidate should become the champion.

        Returns:
            All questions about this candidate.

        Raises:
            NotFoundError: there is no such model.
        """
        body = QuestionRequest.model_construct(bot_id=bot_id, tg_ids=tuple(tg_ids))
        return _announcements.validate_python(await self._call("PUT", f"/models/{model_id}/questions", body))

    async def waiting_announcements(self, bot_id: int) -> tuple[Announcement, ...]:
        """Return the announcements that the bot `bot_id` must send."""
        return _announcements.validate_python(await self._call("GET", "/announcements", params={"bot_id": bot_id}))

    async def claim_announcement(self, announcement_id: int, claim: str) -> Announcement | None:
        """Reserve an announcement for the process that is about to send it.

        Returns:
            The announcement. None if it must not be sent, or if it is news that another process may have sent already.
        """
        body = ClaimRequest.model_construct(claim=claim)
        return _claimed.validate_python(await self._call("POST", f"/announcements/{announcement_id}/claim", body))

    async def end_announcement(
        self, announcement_id: int, claim: str, outcome: Outcome | None, *, message_id: int | None = None
    ) -> None:
        """Store the result of sending an announcement.

        If `outcome` is None, nothing was sent, and the bot will try to send the announcement again.
        """
        body = OutcomeRequest.model_construct(claim=claim, outcome=outcome, message_id=message_id)
        await self._call("PUT", f"/announcements/{announcement_id}/outcome", body)

    async def want_news(self, tg_id: int, *, wanted: bool) -> User:
        """Set whether the bot sends a person news about models that learnt from them.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        body = NewsChoice.model_construct(wanted=wanted)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/news", body))
