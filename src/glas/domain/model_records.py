"""Define states of a model that the gate has judged, and announcements (messages of the bot about models)."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

REPORT_PAGE, REPORT_FIGURES = "index.html", "verdict.json"
"""Names of the two files of a report of the gate: the HTML page, and the JSON file with the numbers."""


class ModelState(StrEnum):
    """State of a model that the gate has judged. At most one model has the state CHAMPION."""

    CANDIDATE = "candidate"  # passed the gate, and waits for a decision
    REFUSED = "refused"  # by the gate or by an administrator
    CHAMPION = "champion"  # serves wherever GLAS_MODEL is `auto`
    REPLACED = "replaced"  # was the champion before another one
    ROLLED_BACK = "rolled_back"  # was taken back, because it was worse in daily use or could not be loaded
    RETIRED = "retired"  # must not serve any more


FirstState = Literal[ModelState.CANDIDATE, ModelState.REFUSED, ModelState.CHAMPION]
"""State of a model directly after the verdict of the gate."""


class AnnouncementKind(StrEnum):
    """Kind of an announcement."""

    NEWS = "news"  # to a person from whom the champion has learnt
    OWN_NEWS = "own_news"  # to a person, about their own model
    QUESTION = "question"  # to an administrator: may the candidate serve?


class Outcome(StrEnum):
    """Result of sending an announcement."""

    SENT = "sent"
    UNREACHABLE = "unreachable"  # the person has blocked the bot, or has no chat with it


class LearningStep(StrEnum):
    """The steps of a round of learning, in order."""

    EXPORT = "export"  # corrected messages as files
    DATASET = "dataset"  # choose the recordings for training and for the test
    FINETUNE = "finetune"
    EVALUATE = "evaluate"  # the gate measures and judges
    DECIDE = "decide"  # the model serves, waits for a decision, or was refused


class TaughtModel(BaseModel):
    """A model that learnt from a person's recordings."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    state: ModelState


class News(BaseModel):
    """News for a person about a model that learnt from this person's recordings."""

    model_config = ConfigDict(frozen=True)

    transcription_id: int
    text_before: str | None = Field(
        description="Text of the message by the previous model. null after the news was sent."
    )
    text_after: str | None = Field(description="Text of the message by the new model. null after the news was sent.")
    outcome: Outcome | None
    sent_datetime: datetime | None
