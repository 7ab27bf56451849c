"""The methods of the db_assist client for rounds of learning."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.learning_bodies import RoundRecord, StepEntry
from glas.domain.model_records import LearningStep

_rounds = TypeAdapter(tuple[RoundRecord, ...])


class LearningCalls(ABC):
    """Record the steps of a round of learning, and read the rounds."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def record_step(self, name: str, step: LearningStep, entry: StepEntry) -> None:
        """Record that a step of a round has begun or finished.

        If the step was recorded before, its times are replaced.
        """
        await self._call("PUT", f"/rounds/{name}/steps/{step}", entry)

    async def rounds(self, limit: int = 20) -> tuple[RoundRecord, ...]:
        """Return the last rounds, the newest first."""
        return _rounds.validate_python(await self._call("GET", "/rounds", params={"limit": limit}))
