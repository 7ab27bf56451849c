"""Define the table of own models: models that answer one person or one group instead of the champion."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import Base
from glas.db.types import RowId, UtcDateTime


class OwnModelRow(Base):
    """An own model and the person or group to which it is assigned.

    If the model is not assigned to anybody any more, the row stays until the files of the model are deleted.
    """

    __tablename__ = "own_models"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    chat_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    name: Mapped[str] = mapped_column(String(512), unique=True)
    version: Mapped[str] = mapped_column(String(64))
    instead_of: Mapped[str] = mapped_column(String(64))
    wer_before: Mapped[float]
    wer_after: Mapped[float]
    is_used: Mapped[bool]
    operator: Mapped[str] = mapped_column(String(512))
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("user_id IS NULL OR chat_id IS NULL", name="owner"),
        CheckConstraint("chat_id < 0", name="chat_id"),
        {"sqlite_autoincrement": True},
    )
