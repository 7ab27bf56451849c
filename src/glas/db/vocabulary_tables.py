"""Define the table of vocabularies: words that corrections put into messages, or that people added by hand."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import Base
from glas.db.types import RowId, UtcDateTime

_BY_HAND = text("transcription_id IS NULL")


class VocabularyWordRow(Base):
    """A word that a correction put into one of a person's messages, or that the person added by hand.

    If the word was added by hand, the row has no message.

    The vocabularies of chats and of the installation are computed from these rows whenever they are needed. If a word
    is deleted or its correction is undone, the word also disappears from these vocabularies.
    """

    __tablename__ = "vocabulary_words"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    word: Mapped[str] = mapped_column(String(512))
    normalised: Mapped[str] = mapped_column(String(512))
    is_name: Mapped[bool]
    transcription_id: Mapped[int | None] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"))
    change_id: Mapped[int | None] = mapped_column(BigInteger)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("transcription_id", "normalised"),
        CheckConstraint("(transcription_id IS NULL) = (change_id IS NULL)", name="change"),
        CheckConstraint("chat_id IS NULL OR transcription_id IS NOT NULL", name="chat"),
        Index(
            "uq_vocabulary_words_by_hand",
            "user_id",
            "normalised",
            unique=True,
            postgresql_where=_BY_HAND,
            sqlite_where=_BY_HAND,
        ),
        Index(None, "user_id", "normalised"),
        Index(None, "chat_id", "normalised"),
        Index(None, "normalised", "user_id"),
        {"sqlite_autoincrement": True},
    )
