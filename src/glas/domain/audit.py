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
    actor_id: int | None = Field(
        description="Number of the administrator's row; None if db_assist acted automatically."
    )
    actor_tg_id: int | None = Field(description="Telegram id of the administrator; None if they deleted their data.")
    subject_id: int | None = Field(description="Number of the row of the person concerned.")
    subject_tg_id: int | None = Field(
        description="Telegram id of the person concerned; None if they deleted their data."
    )
    transcription_id: int | None = Field(description="Number of the message concerned, if any.")
    action: Action
    before: dict[str, bool | int | str | None] | None = Field(description="Values before the action.")
    after: dict[str, bool | int | str | None] | None = Field(description="Values after the action.")
