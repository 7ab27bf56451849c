"""The methods of the db_assist client for own models."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, TypeAdapter, model_validator

from glas.clients.bodies import ChatId, Name, RequestBody, RowId, TgId
from glas.clients.model_record_bodies import NewsItem
from glas.domain.model_ref import VERSION_PATTERN
from glas.domain.own_models import OwnModelRecord

_records = TypeAdapter(tuple[OwnModelRecord, ...])

GroupId = Annotated[ChatId, Field(lt=0)]
_Version = Annotated[str, Field(pattern=f"^{VERSION_PATTERN}$")]


class _Owned(RequestBody):
    tg_id: TgId | None = Field(
        default=None,
        description="Telegram's id of the person to whom the model belongs. null if another field identifies the "
        "owner.",
    )
    chat_id: GroupId | None = Field(
        default=None,
        description="Telegram's id of the group to which the model belongs. null if another field identifies the "
        "owner.",
    )


class OwnModelEntry(_Owned):
    """A model that answers one person or one group from now on."""

    transcription_id: RowId | None = Field(
        default=None,
        description="Number of any message of the person to whom the model belongs. null if another field "
        "identifies the owner.",
    )
    name: Name
    version: _Version
    instead_of: _Version
    wer_before: float = Field(ge=0, allow_inf_nan=False)
    wer_after: float = Field(ge=0, allow_inf_nan=False)
    operator: Name = Field(description="User of the operating system who made the decision.")
    news: NewsItem | None = Field(
        default=None,
        description="A message of the person, recognised by the champion and by the own model. The bot shows it to the "
        "person. null if there is no such news, or if the model belongs to a group.",
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if [self.tg_id, self.chat_id, self.transcription_id].count(None) != 2:  # noqa: PLR2004 - one of three is there
            raise ValueError("expected one of tg_id, chat_id and transcription_id")
        return self


class OwnModelChoice(_Owned):
    """Whether a person or a group is answered by the own model or by the champion."""

    is_used: bool

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.tg_id is None) == (self.chat_id is None):
            raise ValueError("expected either tg_id or chat_id")
        return self


class OwnModelCalls(ABC):
    """Record, find, choose and remove own models."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def record_own_model(self, entry: OwnModelEntry) -> OwnModelRecord:
        """Let a model answer a person or a group instead of their earlier own model; a repeated call changes nothing.

        Raises:
            NotFoundError: there is no such person or message.
            ConflictError: the model belongs to somebody else.
        """
        return OwnModelRecord.model_validate(await self._call("PUT", "/own-models", entry))

    async def own_models(self, *, tg_id: int | None = None, chat_id: int | None = None) -> tuple[OwnModelRecord, ...]:
        """Return the own model of a person and the own model of a chat.

        If neither argument is given, return all own models that belong to a person or a chat now.
        """
        params = {"tg_id": tg_id, "chat_id": chat_id}
        return _records.validate_python(await self._call("GET", "/own-models", params=params))

    async def choose_own_model(self, choice: OwnModelChoice) -> OwnModelRecord:
        """Choose whether a person or a group is answered by the own model or by the champion.

        Raises:
            NotFoundError: the person or group has no own model.
        """
        return OwnModelRecord.model_validate(await self._call("PUT", "/own-models/choice", choice))

    async def retire_own_model(self, own_model_id: int) -> None:
        """Retire an own model, so that it answers nobody; the next export deletes its files.

        A repeated call changes nothing.

        Raises:
            NotFoundError: there is no own model with this number.
        """
        await self._call("POST", f"/own-models/{own_model_id}/retirement")

    async def own_models_to_delete(self) -> tuple[OwnModelRecord, ...]:
        """Return own models that belong to nobody any more and whose files must be deleted."""
        return _records.validate_python(await self._call("GET", "/own-models/to-delete"))

    async def own_model_deleted(self, own_model_id: int) -> None:
        """Store that data_loader has deleted the files of an own model.

        Raises:
            ConflictError: the model still belongs to a person or a group.
        """
        await self._call("DELETE", f"/own-models/{own_model_id}")
