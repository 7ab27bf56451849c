"""Define the tables of corrections: the corrected words, their history, and the Telegram messages that show them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from glas.db.base import CODE, Base, among
from glas.db.types import RowId, UtcDateTime
from glas.domain.corrections import Rank, Sound
from glas.domain.messages import MessageKind


class CorrectionRow(Base):
    """The corrected words of a message.

    If the correction is undone, the words are removed from the row. The row itself stays, because it contains the
    decision about the payment.
    """

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"), unique=True)
    reference: Mapped[str | None] = mapped_column(Text)
    reward_refusal: Mapped[str | None] = mapped_column(CODE)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    rank: Mapped[str | None] = mapped_column(CODE)

    __table_args__ = (
        CheckConstraint("(reference IS NULL) = (rank IS NULL)", name="reference"),
        among("rank", Rank),
        {"sqlite_autoincrement": True},
    )


class CorrectionChangeRow(Base):
    """One entry in the history of a message's corrected words; rows of this table are never changed."""

    __tablename__ = "correction_changes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reference: Mapped[str | None] = mapped_column(Text)
    rank: Mapped[str | None] = mapped_column(CODE)
    is_applied: Mapped[bool]
    takes_back: Mapped[int | None] = mapped_column(BigInteger)
    sound: Mapped[str] = mapped_column(CODE)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("(reference IS NULL) = (rank IS NULL)", name="reference"),
        among("rank", Rank),
        among("sound", Sound),
        Index(None, "transcription_id", "id"),
        Index(None, "user_id"),
        {"sqlite_autoincrement": True},
    )


class TextToShowRow(Base):
    """A message whose text was corrected on the web pages, and which the bot has not updated in Telegram yet."""

    __tablename__ = "texts_to_show"

    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"), primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    change_id: Mapped[int] = mapped_column(BigInteger)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "bot_id"),)


class AttachedMessageRow(Base):
    """A message that the bot sent in addition to an answer: a file, subtitles, or a part of a long text."""

    __tablename__ = "attached_messages"

    transcription_id: Mapped[int] = mapped_column(ForeignKey("transcriptions.id", ondelete="CASCADE"), primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(CODE)

    __table_args__ = (among("kind", MessageKind), Index(None, "chat_id", "message_id"))
