"""Entries of the audit: actions of administrators, and of db_assist itself, on people's data."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Action(StrEnum):
    """The kind of an action; RETENTION is an action of db_assist itself, all others are actions of an administrator."""

    ROLE = "role"
    REVIEWER = "reviewer"
    BAN = "ban"
    GRANT = "grant"
    FORGET = "forget"
    DELETE_MESSAGE = "delete_message"
    READ_MESSAGE = "read_message"
    MODEL = "model"  # a decision about a model
    READ_REPORT = "read_report"  # opened the gate's report, in which words and sound of people are
    RETENTION = "retention"


class AuditEntry(BaseModel):
    """An entry of the audit: one action.

    Stored entries are never changed or removed, and contain neither people's words nor Telegram ids.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    creation_datetime: datetime
    actor_id: int | None = Field(description="Row of the administrator; None if db_assist did it by itself.")
    actor_tg_id: int | None = Field(description="Their Telegram id; None once they were forgotten.")
    subject_id: int | None = Field(description="Row of the person whom it concerns.")
    subject_tg_id: int | None = Field(description="Their Telegram id; None once they were forgotten.")
    transcription_id: int | None = Field(description="The message, where it concerns one.")
    action: Action
    before: dict[str, bool | int | str | None] | None = Field(description="Values that were replaced.")
    after: dict[str, bool | int | str | None] | None = Field(description="Values that replaced them.")
