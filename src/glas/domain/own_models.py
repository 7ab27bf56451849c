"""Define own models: models that answer the recordings of one person or one chat instead of the champion."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.model_ref import ModelRef


class OwnModel(BaseModel):
    """An own model, and the version of the champion with which it was compared.

    If another version of the champion is in use, the own model does not answer, because the own model was not compared
    with that version.
    """

    model_config = ConfigDict(frozen=True)

    model: ModelRef
    instead_of: str


class OwnModelRecord(BaseModel):
    """The stored data about an own model, without the person or chat to whom the model belongs."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    version: str
    instead_of: str = Field(
        description="Version of the champion with which the own model was compared. The own model made fewer errors."
    )
    wer_before: float = Field(
        description="Word error rate of the champion with this comparison, on the test set, as a fraction."
    )
    wer_after: float = Field(description="Word error rate of the own model on the test set, as a fraction.")
    is_of_chat: bool = Field(description="Whether the model belongs to a chat. Otherwise it belongs to a person.")
    is_used: bool = Field(
        description="Whether the model is used. It is not used if the person, or an administrator of the chat, "
        "chose the model that is used for everybody."
    )
    creation_datetime: datetime

    @property
    def own(self) -> OwnModel:
        """The own model, and the version of the champion with which it was compared, as requests contain them."""
        return OwnModel(model=ModelRef(name=self.name, version=self.version), instead_of=self.instead_of)


def answering(records: Sequence[OwnModelRecord]) -> OwnModel | None:
    """Choose the own model that answers a recording, from the own models of its person and of its chat.

    The model of the person has precedence over the model of the chat. Models that the person or chat has switched off
    are ignored. If no model is left, return None.
    """
    used = sorted((one for one in records if one.is_used), key=lambda one: one.is_of_chat)
    return used[0].own if used else None
