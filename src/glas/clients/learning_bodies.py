"""Bodies of calls to db_assist about rounds of learning and their steps."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from glas.clients.bodies import RequestBody, Value
from glas.domain.model_records import LearningStep

RoundName = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z._-]{1,64}$",
        description="Name of the dataset version with which the round trains a model.",
    ),
]
Details = dict[str, str | float | int | bool | None]


class StepEntry(RequestBody):
    """A step of a round that has begun or finished, as the caller reports it."""

    began: AwareDatetime
    finished: AwareDatetime | None = None
    details: Details = Field(default_factory=dict, max_length=20)


class StepRecord(Value):
    """A step of a round, as it is stored."""

    step: LearningStep
    began_datetime: AwareDatetime
    finished_datetime: AwareDatetime | None = Field(
        description="Time at which the step ended. null means that the step is still running or was interrupted."
    )
    details: Details


class RoundRecord(Value):
    """A round of learning, with those of its steps that have begun, in the order of the steps."""

    name: str = Field(description="Name of the dataset version with which the round trains a model.")
    steps: tuple[StepRecord, ...]
