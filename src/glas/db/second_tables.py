"""Define the table of second hypotheses: texts that a second model recognised in the recordings of messages."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import Base
from glas.db.types import UtcDateTime


class SecondHypothesisRow(Base):
    """A second hypothesis: a text that a second model recognised, for comparison with the text by the first model.

    Reviewers see the second hypothesis. The speaker sees only the text by the first model.
    """

    __tablename__ = "second_hypotheses"

    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float | None]
    model: Mapped[str] = mapped_column(String(512))
    model_version: Mapped[str] = mapped_column(String(64))
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),)
