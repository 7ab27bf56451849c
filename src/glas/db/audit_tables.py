"""Define the table of the audit, and the table of people whose records of works must be deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import CODE, Base, among
from glas.db.types import RowId, UtcDateTime
from glas.domain.audit import Action

_VALUES = JSON(none_as_null=True)


class AuditRow(Base):
    """One action of an administrator, or of db_assist itself; `actor_id` is null for an action of db_assist.

    A migration creates database triggers that refuse to change or delete an entry.

    An entry refers to people by the ids of their rows. After the deletion of a person's data, the row of the person
    does not identify the person. So entries about this person need not be deleted. `transcription_id` is not a foreign
    key, so that an entry stays when its message is deleted.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    transcription_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(CODE)
    before: Mapped[dict[str, Any] | None] = mapped_column(_VALUES)
    after: Mapped[dict[str, Any] | None] = mapped_column(_VALUES)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        among("action", Action),
        Index(None, "subject_id", "id"),
        Index(None, "actor_id", "id"),
        {"sqlite_autoincrement": True},
    )


class WorkToForgetRow(Base):
    """A person whose data was deleted; the bot must still delete the person's records of works (see `glas.durable`)."""

    __tablename__ = "work_to_forget"

    tg_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
