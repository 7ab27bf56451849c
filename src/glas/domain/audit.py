"""Describe the entries of the audit: actions of administrators, and of db_assist itself, on people's data."""

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
    READ_REPORT = "read_report"  # opened the gate's report, which contains words and sound of people
    RETENTION = "retention"


class AuditEntry(BaseModel):
    """An entry of the audit: one action.

    Stored entries are never changed or removed. They contain neither people's words nor Telegram ids.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    creation_datetime: datetime
    actor_id: int | None = Field(
        description="Number of the administrator's row in the database. null if db_assist acted automatically."
    )
    actor_tg_id: int | None = Field(
        description="Telegram's id of the administrator. null if db_assist acted automatically, or if the "
        "administrator's data was deleted."
    )
    subject_id: int | None = Field(
        description="Number of the database row of the person whom the action concerns. null if it concerns no person."
    )
    subject_tg_id: int | None = Field(
        description="Telegram's id of the person whom the action concerns. null if it concerns no person, or if "
        "the person's data was deleted."
    )
    transcription_id: int | None = Field(
        description="Number of the message that the action concerns. null if it concerns no message."
    )
    action: Action
    before: dict[str, bool | int | str | None] | None = Field(
        description="Values that the action changed, as they were before. null if there are none."
    )
    after: dict[str, bool | int | str | None] | None = Field(
        description="Values that the action changed, as they are after it. null if there are none."
    )
