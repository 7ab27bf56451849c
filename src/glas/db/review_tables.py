"""Define the tables of reviews: the verdicts of reviewers, and the messages that reviewers are reviewing now."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import CODE, Base, among
from glas.db.types import RowId, UtcDateTime
from glas.domain.reviews import Verdict


class ReviewRow(Base):
    """A review of a message. If `is_agreed` is set, another person gave the same words independently."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[str] = mapped_column(CODE)
    reference: Mapped[str | None] = mapped_column(Text)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    is_agreed: Mapped[bool]
    reward_refusal: Mapped[str | None] = mapped_column(CODE)

    __table_args__ = (
        Unique("transcription_id", "reviewer_id"),
        CheckConstraint("(verdict IN ('accept', 'correct')) = (reference IS NOT NULL)", name="reference"),
        among("verdict", Verdict),
        Index(None, "reviewer_id"),
        {"sqlite_autoincrement": True},
    )


class ReviewHoldRow(Base):
    """A message that one reviewer may review now. This reviewer has not sent a review of the message yet.

    After `expiry_datetime`, another reviewer may get the message.
    """

    __tablename__ = "review_holds"

    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"), primary_key=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expiry_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "reviewer_id"),)
