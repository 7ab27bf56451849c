"""The methods of the db_assist client for ratings of models."""

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel, Field

from glas.clients.bodies import Value
from glas.domain.messages import Score
from glas.domain.model_ref import ModelRef
from glas.domain.ratings_watch import MOST_AFTER, RatingsWatch

_MOST_COMPARED = 2000


class ModelRatings(Value):
    """The ratings of the texts of one version of a model."""

    scores: tuple[Score, ...] = Field(description="Scores of the rated messages (1 to 3), oldest message first.")


class RatingCalls(ABC):
    """Read people's ratings of the texts that a given model recognised."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def ratings_of(self, model: ModelRef, *, limit: int) -> ModelRatings:
        """Return the last `limit` ratings of texts that a version of a model recognised."""
        params = {"model": model.name, "model_version": model.version, "limit": limit}
        return ModelRatings.model_validate(await self._call("GET", "/ratings", params=params))

    async def compare_ratings(self, before: ModelRef, after: ModelRef) -> RatingsWatch:
        """Compare the ratings of a new model with those of the previous model.

        Args:
            before: the previous model: the model that the new model has replaced or will replace.
            after: the new model.
        """
        old = (await self.ratings_of(before, limit=_MOST_COMPARED)).scores
        new = (await self.ratings_of(after, limit=_MOST_COMPARED)).scores
        found = RatingsWatch(len(old), sum(score is Score.BAD for score in old))
        found.count([score is Score.BAD for score in new[:MOST_AFTER]])
        return found
