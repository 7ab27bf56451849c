"""Define the tables of models: verdicts, decisions, people from whom a model learnt, rounds, and announcements."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import CODE, Base, among
from glas.db.types import RowId, UtcDateTime
from glas.domain.model_records import AnnouncementKind, LearningStep, ModelState, Outcome

_CHAMPION = text("state = 'champion'")


class ModelRow(Base):
    """A version of a model that the gate has judged, or that was the champion before such a model."""

    __tablename__ = "models"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(512))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(CODE)
    base: Mapped[str | None] = mapped_column(String(600))
    dataset_version: Mapped[str | None] = mapped_column(String(64))
    lineage: Mapped[dict[str, Any]] = mapped_column(JSON)
    n_people: Mapped[int]
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    champion_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Unique("name", "version"),
        CheckConstraint("n_people >= 0", name="n_people"),
        among("state", ModelState),
        Index("uq_models_champion", "state", unique=True, postgresql_where=_CHAMPION, sqlite_where=_CHAMPION),
        {"sqlite_autoincrement": True},
    )


class ModelPersonRow(Base):
    """A person from whom a model learnt, and whose data was not deleted."""

    __tablename__ = "model_people"

    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)

    __table_args__ = (Index(None, "user_id"),)


class ModelDecisionRow(Base):
    """One decision about a model, by the gate, an administrator, a person who runs a command, or a part of Glas.

    A row of this table is never changed.
    """

    __tablename__ = "model_decisions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(CODE)
    is_forced: Mapped[bool]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    operator: Mapped[str | None] = mapped_column(String(512))
    reason: Mapped[str | None] = mapped_column(String(512))
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    champion_before: Mapped[str | None] = mapped_column(String(600))
    champion_after: Mapped[str | None] = mapped_column(String(600))
    key: Mapped[str | None] = mapped_column(String(512), unique=True)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (operator IS NULL)", name="who"),
        among("state", ModelState),
        Index(None, "model_id"),
        Index(None, "user_id"),
        {"sqlite_autoincrement": True},
    )


class LearningStepRow(Base):
    """A step of a round of learning.

    If a step was repeated after a crash, the row contains the time at which the repetition began.
    """

    __tablename__ = "learning_steps"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    round: Mapped[str] = mapped_column(String(64))
    step: Mapped[str] = mapped_column(CODE)
    began_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (
        Unique("round", "step"),
        among("step", LearningStep),
        {"sqlite_autoincrement": True},
    )


class AnnouncementRow(Base):
    """A Telegram message that the bot sends without a request of a person; the message is about a model.

    `claim` is set before the announcement is sent, and `outcome` after it was sent. `text_before` and `text_after`
    contain words of a person. So both are removed from the row after the announcement was sent.
    """

    __tablename__ = "announcements"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    own_model_id: Mapped[int | None] = mapped_column(ForeignKey("own_models.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(CODE)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    transcription_id: Mapped[int | None] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"))
    text_before: Mapped[str | None] = mapped_column(Text)
    text_after: Mapped[str | None] = mapped_column(Text)
    claim: Mapped[str | None] = mapped_column(String(64))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(CODE)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Unique("model_id", "user_id", "kind"),
        Unique("own_model_id", "user_id", "kind"),
        CheckConstraint("(kind = 'question') = (transcription_id IS NULL)", name="transcription"),
        CheckConstraint(
            "(kind = 'own_news') = (own_model_id IS NOT NULL) AND (model_id IS NULL) = (own_model_id IS NOT NULL)",
            name="own_model",
        ),
        among("kind", AnnouncementKind),
        among("outcome", Outcome),
        Index(None, "user_id"),
        Index(None, "transcription_id"),
        Index(None, "bot_id", "outcome"),
        {"sqlite_autoincrement": True},
    )
