"""Define the tables of people, messages, consents, payments, usage and deletions.

The columns have the same names as the fields in `glas.domain`, so `Model.model_validate(row)` converts a row.

Amounts of money are whole hundredths of a coin, because SQLite stores NUMERIC values as floats. docs/database.md has a
diagram of the tables, and explains their design.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column, relationship

from glas.db.audit_tables import AuditRow as AuditRow  # noqa: PLC0414 - imported from here together with all tables
from glas.db.audit_tables import WorkToForgetRow as WorkToForgetRow  # noqa: PLC0414 - likewise
from glas.db.base import CODE, SHA256, among
from glas.db.base import Base as Base  # noqa: PLC0414 - imported from here together with all tables
from glas.db.base import table_of as table_of  # noqa: PLC0414 - likewise
from glas.db.correction_tables import CorrectionRow
from glas.db.correction_tables import TextToShowRow as TextToShowRow  # noqa: PLC0414 - likewise
from glas.db.login_tables import WebLoginRow as WebLoginRow  # noqa: PLC0414 - likewise
from glas.db.model_tables import AnnouncementRow as AnnouncementRow  # noqa: PLC0414 - likewise
from glas.db.model_tables import LearningStepRow as LearningStepRow  # noqa: PLC0414 - likewise
from glas.db.model_tables import ModelDecisionRow as ModelDecisionRow  # noqa: PLC0414 - likewise
from glas.db.model_tables import ModelPersonRow as ModelPersonRow  # noqa: PLC0414 - likewise
from glas.db.model_tables import ModelRow as ModelRow  # noqa: PLC0414 - likewise
from glas.db.own_model_tables import OwnModelRow as OwnModelRow  # noqa: PLC0414 - likewise
from glas.db.review_tables import ReviewHoldRow as ReviewHoldRow  # noqa: PLC0414 - likewise
from glas.db.review_tables import ReviewRow as ReviewRow  # noqa: PLC0414 - likewise
from glas.db.second_tables import SecondHypothesisRow as SecondHypothesisRow  # noqa: PLC0414 - likewise
from glas.db.types import RowId, UtcDateTime
from glas.db.vocabulary_tables import VocabularyWordRow as VocabularyWordRow  # noqa: PLC0414 - likewise
from glas.domain.corrections import Rank
from glas.domain.ledger import Reason
from glas.domain.messages import MediaKind, Score, Status
from glas.domain.people import Locale, Purpose, Role

_UNFINISHED = text("status <> 'done'")
_ENDS = text("ban_until IS NOT NULL")
_RATED = text("score <> 0")


class UserRow(Base):
    """A person.

    If `tg_id` is null, the person's data was deleted. The ledger entries of the person stay.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tg_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    registration_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    cash_hundredths: Mapped[int] = mapped_column(BigInteger, default=0)
    role: Mapped[int] = mapped_column(SmallInteger, default=int(Role.USER))
    is_reviewer: Mapped[bool] = mapped_column(default=False)
    is_banned: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str] = mapped_column(String(8), default=Locale.RU.value)
    news_refusal_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ban_reason: Mapped[str | None] = mapped_column(String(512))
    ban_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    consent_history: Mapped[list["ConsentRow"]] = relationship(order_by="ConsentRow.id", lazy="raise")

    __table_args__ = (
        CheckConstraint("cash_hundredths >= 0", name="cash"),
        among("role", Role),
        among("locale", Locale),
        Index("ix_users_ban_until", "ban_until", postgresql_where=_ENDS, sqlite_where=_ENDS),
        {"sqlite_autoincrement": True},
    )

    @property
    def consents(self) -> frozenset[Purpose]:
        """The purposes to which the person consents now, according to the person's last decision about each purpose."""
        last = {record.purpose: record.granted for record in self.consent_history}
        return frozenset(Purpose(purpose) for purpose, granted in last.items() if granted)


class ConsentRow(Base):
    """One decision of a person about a consent; each new decision gets a new row."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(CODE)
    granted: Mapped[bool]
    text_version: Mapped[str] = mapped_column(String(512))
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        among("purpose", Purpose),
        Index(None, "user_id", "purpose", "id"),
        {"sqlite_autoincrement": True},
    )


class TranscriptionRow(Base):
    """A message and the result of its recognition; no id is used twice, because keys of stored objects contain ids."""

    __tablename__ = "transcriptions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    answer_message_id: Mapped[int | None] = mapped_column(BigInteger)
    answer_chat_id: Mapped[int | None] = mapped_column(BigInteger)
    file_id: Mapped[str] = mapped_column(String(512))
    file_unique_id: Mapped[str] = mapped_column(String(512))
    media_kind: Mapped[str] = mapped_column(CODE)
    is_forwarded: Mapped[bool]
    duration_s: Mapped[float | None]
    status: Mapped[str] = mapped_column(CODE, default=Status.PENDING.value)
    failure_code: Mapped[str | None] = mapped_column(String(512))
    text: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float | None]
    model: Mapped[str | None] = mapped_column(String(512))
    model_version: Mapped[str | None] = mapped_column(String(64))
    fingerprint: Mapped[str | None] = mapped_column(SHA256)
    keywords_sha256: Mapped[str | None] = mapped_column(SHA256)
    score: Mapped[int] = mapped_column(SmallInteger, default=int(Score.NOT_RATED))
    reward_refusal: Mapped[str | None] = mapped_column(CODE)
    audio_key: Mapped[str | None] = mapped_column(String(512))
    audio_sha256: Mapped[str | None] = mapped_column(SHA256)
    audio_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    change_sequence: Mapped[int] = mapped_column(BigInteger, default=0)

    correction: Mapped[CorrectionRow | None] = relationship(lazy="raise")

    __table_args__ = (
        Unique("bot_id", "chat_id", "message_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("duration_s >= 0", name="duration_s"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        CheckConstraint("audio_size_bytes >= 0", name="audio_size_bytes"),
        CheckConstraint("status <> 'done' OR (text IS NOT NULL AND duration_s IS NOT NULL)", name="done"),
        among("media_kind", MediaKind),
        among("status", Status),
        among("score", Score),
        Index(None, "bot_id", "chat_id", "answer_message_id"),
        Index(None, "bot_id", "answer_chat_id", "answer_message_id"),
        # These indexes contain the columns whose sums the pages show, so that the rows need not be read.
        Index(None, "user_id", "creation_datetime", "status", "duration_s"),
        Index(None, "user_id", "id"),
        Index(None, "creation_datetime", "user_id", "duration_s"),
        Index(
            "ix_transcriptions_unfinished",
            "status",
            "creation_datetime",
            postgresql_where=_UNFINISHED,
            sqlite_where=_UNFINISHED,
        ),
        Index(
            "ix_transcriptions_rated",
            "creation_datetime",
            "model",
            "model_version",
            "score",
            postgresql_where=_RATED,
            sqlite_where=_RATED,
        ),
        Index(None, "file_unique_id"),
        Index(None, "change_sequence", "id"),
        {"sqlite_autoincrement": True},
    )

    @property
    def corrected_text(self) -> str | None:
        """The words of the current correction, even if it is doubtful; None if there is no correction."""
        return None if self.correction is None else self.correction.reference

    @property
    def rank(self) -> str | None:
        """The rank of the current correction; None if there is no correction."""
        return None if self.correction is None else self.correction.rank

    @property
    def reference(self) -> str | None:
        """The words of the current correction; None if there is no correction, or if the correction is doubtful."""
        return None if self.rank == Rank.DOUBTFUL else self.corrected_text


class TransactionRow(Base):
    """An entry of the ledger; database triggers, which a migration creates, refuse to change or delete an entry.

    `transcription_id` is not a foreign key, because the payments for a message stay when the message is deleted.
    """

    __tablename__ = "transactions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    amount_hundredths: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(CODE)
    transcription_id: Mapped[int | None] = mapped_column(BigInteger)
    role_earned: Mapped[int | None] = mapped_column(SmallInteger)
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    idempotency_key: Mapped[str | None] = mapped_column(String(512), unique=True)
    note: Mapped[str | None] = mapped_column(String(512))
    date_of_transaction: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Unique("transcription_id", "reason", "user_id"),
        CheckConstraint("amount_hundredths <> 0", name="amount"),
        CheckConstraint("(reason = 'grant') = (transcription_id IS NULL)", name="transcription"),
        CheckConstraint("reason = 'grant' OR amount_hundredths > 0", name="payment"),
        among("reason", Reason),
        Index("ix_transactions_sums", "user_id", "date_of_transaction", "amount_hundredths", "reason"),
        {"sqlite_autoincrement": True},
    )


class PaidAudioRow(Base):
    """A hash that identifies paid audio: the hash of Telegram's id of the file, or of the recording's fingerprint.

    The hashes prevent a second payment for the same audio. When the message is deleted, the message's id is removed
    from the row. The row itself is deleted at `expiry_datetime`.
    """

    __tablename__ = "paid_audio"

    reason: Mapped[str] = mapped_column(CODE, primary_key=True)
    audio: Mapped[str] = mapped_column(SHA256, primary_key=True)
    transcription_id: Mapped[int | None] = mapped_column(
        ForeignKey("transcriptions.id", ondelete="SET NULL"), index=True
    )
    expiry_datetime: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class UsageRow(Base):
    """A recording that was sent within the last 24 hours, with pseudonyms of the recording and of its party."""

    __tablename__ = "usage_records"

    recording: Mapped[str] = mapped_column(SHA256, primary_key=True)
    party: Mapped[str] = mapped_column(SHA256)
    audio_s: Mapped[float]
    creation_datetime: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = (
        CheckConstraint("audio_s >= 0", name="audio_s"),
        Index(None, "party", "creation_datetime"),
    )


class TombstoneRow(Base):
    """A message that was deleted; data_loader deletes its exported files and its objects."""

    __tablename__ = "tombstones"

    transcription_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    change_sequence: Mapped[int] = mapped_column(BigInteger)
    deletion_datetime: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index(None, "change_sequence", "transcription_id"),)


class ChangeCounterRow(Base):
    """The single row of the counter of changes.

    If a transaction changes a finished message (with a recognised text), the last statement of the transaction
    increases the counter, and stores the new value with the message. So other transactions see the values in ascending
    order.
    """

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class InstallationRow(Base):
    """The single row with the random name of this installation, which is also in backups and the log of deletions."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(16))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class ChatRow(Base):
    """Settings of the bot for a chat."""

    __tablename__ = "chats"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    answers_automatically: Mapped[bool]
