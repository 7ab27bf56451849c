"""The methods of the db_assist client for second hypotheses."""

from abc import ABC, abstractmethod
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from glas.clients.bodies import Name, RequestBody, Text
from glas.domain.messages import SecondHypothesis
from glas.domain.transcription import Hypothesis

_found: TypeAdapter[SecondHypothesis | None] = TypeAdapter(SecondHypothesis | None)


class SecondText(RequestBody):
    """The text that another model recognised for a message."""

    text: Annotated[Text, Field(max_length=1_000_000)]
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    model: Name
    model_version: Annotated[Name, Field(max_length=64)]


class SecondCalls(ABC):
    """Store and read second hypotheses: texts that a second model recognised in the recordings of messages."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def store_second_hypothesis(self, transcription_id: int, heard: Hypothesis) -> None:
        """Store the second hypothesis of a message; a later second hypothesis of this message replaces it.

        Raises:
            NotFoundError: the message does not exist, or was deleted.
        """
        body = SecondText.model_construct(
            text=heard.text, confidence=heard.confidence, model=heard.model, model_version=heard.model_version or ""
        )
        await self._call("PUT", f"/transcriptions/{transcription_id}/second-hypothesis", body)

    async def second_hypothesis(self, transcription_id: int) -> SecondHypothesis | None:
        """Return the second hypothesis of a message; None if there is none."""
        return _found.validate_python(await self._call("GET", f"/transcriptions/{transcription_id}/second-hypothesis"))
