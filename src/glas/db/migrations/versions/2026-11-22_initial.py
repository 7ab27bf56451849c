# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the first tables, such as people, messages and the ledger, and the triggers that protect the ledger.

The table definitions are written here and not imported, because later versions of Glas change `glas.db.tables`, but
this migration must stay the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_initial"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_CODE = sa.String(32)
_NAME = sa.String(512)
_SHA256 = sa.String(64)

# All columns except `note`, which contains an administrator's words and is cleared when the person's data is deleted.
_LEDGER_FACTS = (
    "id, user_id, amount_hundredths, reason, transcription_id, role_earned, granted_by, idempotency_key, "
    "date_of_transaction"
)
_REFUSAL = "the ledger is append-only"


def upgrade() -> None:
    """Create all tables."""
    _people()
    _transcriptions()
    _about_transcriptions()
    _ledger()
    _export()
    _models()
    _lock_ledger()


def downgrade() -> None:
    """Drop all tables."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER transactions_no_update ON transactions")
        op.execute("DROP TRIGGER transactions_no_delete ON transactions")
        op.execute("DROP FUNCTION refuse_ledger_change()")
    for table in (
        *("model_aliases", "models", "change_counter", "tombstones", "paid_audio", "transactions", "reviews"),
        *("corrections", "transcriptions", "chats", "consents", "users"),
    ):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("tg_id", sa.BigInteger()),
        sa.Column("registration_datetime", _MOMENT, nullable=False),
        sa.Column("cash_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("is_reviewer", sa.Boolean(), nullable=False),
        sa.Column("is_banned", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("tg_id", name="uq_users_tg_id"),
        sa.CheckConstraint("cash_hundredths >= 0", name=op.f("ck_users_cash")),
        sa.CheckConstraint("role IN (0, 1, 2, 3)", name=op.f("ck_users_role")),
        sa.CheckConstraint("locale IN ('ru', 'en')", name=op.f("ck_users_locale")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "consents",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("purpose", _CODE, nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", _NAME, nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_consents_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("purpose IN ('service', 'training')", name=op.f("ck_consents_purpose")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consents_user_id_purpose_id", "consents", ["user_id", "purpose", "id"])
    op.create_table(
        "chats",
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("answers_automatically", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "chat_id", name="pk_chats"),
    )


def _transcriptions() -> None:
    op.create_table(
        "transcriptions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("answer_message_id", sa.BigInteger()),
        sa.Column("file_id", _NAME, nullable=False),
        sa.Column("file_unique_id", _NAME, nullable=False),
        sa.Column("media_kind", _CODE, nullable=False),
        sa.Column("is_forwarded", sa.Boolean(), nullable=False),
        sa.Column("duration_s", sa.Double()),
        sa.Column("status", _CODE, nullable=False),
        sa.Column("failure_code", _NAME),
        sa.Column("text", sa.Text()),
        sa.Column("confidence", sa.Double()),
        sa.Column("model", _NAME),
        sa.Column("fingerprint", _SHA256),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("reward_refusal", _CODE),
        sa.Column("audio_key", _NAME),
        sa.Column("audio_sha256", _SHA256),
        sa.Column("audio_size_bytes", sa.BigInteger()),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.Column("changed_datetime", _MOMENT, nullable=False),
        sa.Column("change_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcriptions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_transcriptions_user_id"),
        sa.UniqueConstraint(
            "bot_id",
            "chat_id",
            "message_id",
            "attempt",
            name="uq_transcriptions_bot_id_chat_id_message_id_attempt",
        ),
        *_transcription_checks(),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["bot_id", "chat_id", "answer_message_id"],
        ["user_id", "creation_datetime"],
        ["file_unique_id"],
        ["change_sequence", "id"],
    ):
        op.create_index(f"ix_transcriptions_{'_'.join(columns)}", "transcriptions", columns)


def _transcription_checks() -> list[sa.CheckConstraint]:
    checks = {
        "attempt": "attempt >= 1",
        "duration_s": "duration_s >= 0",
        "confidence": "confidence BETWEEN 0 AND 1",
        "audio_size_bytes": "audio_size_bytes >= 0",
        "done": "status <> 'done' OR (text IS NOT NULL AND duration_s IS NOT NULL)",
        "media_kind": "media_kind IN ('voice', 'audio', 'video_note', 'video', 'document')",
        "status": "status IN ('pending', 'done', 'failed')",
        "score": "score IN (0, 1, 2, 3)",
    }
    return [sa.CheckConstraint(rule, name=op.f(f"ck_transcriptions_{name}")) for name, rule in checks.items()]


def _about_transcriptions() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reward_refusal", _CODE),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.Column("changed_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        _of_transcription("corrections"),
        sa.UniqueConstraint("transcription_id", name="uq_corrections_transcription_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reviews",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("reviewer_id", _ROW_ID, nullable=False),
        sa.Column("verdict", _CODE, nullable=False),
        sa.Column("reference", sa.Text()),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        _of_transcription("reviews"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name="fk_reviews_reviewer_id"),
        sa.UniqueConstraint("transcription_id", "reviewer_id", name="uq_reviews_transcription_id_reviewer_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_reviewer_id", "reviews", ["reviewer_id"])


def _of_transcription(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["transcription_id"], ["transcriptions.id"], name=f"fk_{table}_transcription_id", ondelete="CASCADE"
    )


def _ledger() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("amount_hundredths", sa.BigInteger(), nullable=False),
        sa.Column("reason", _CODE, nullable=False),
        sa.Column("transcription_id", sa.BigInteger()),
        sa.Column("role_earned", sa.SmallInteger()),
        sa.Column("granted_by", _ROW_ID),
        sa.Column("idempotency_key", _NAME),
        sa.Column("note", _NAME),
        sa.Column("date_of_transaction", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transactions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_transactions_user_id"),
        sa.ForeignKeyConstraint(["granted_by"], ["users.id"], name="fk_transactions_granted_by"),
        sa.UniqueConstraint("idempotency_key", name="uq_transactions_idempotency_key"),
        sa.UniqueConstraint(
            "transcription_id", "reason", "user_id", name="uq_transactions_transcription_id_reason_user_id"
        ),
        sa.CheckConstraint("amount_hundredths <> 0", name=op.f("ck_transactions_amount")),
        sa.CheckConstraint(
            "(reason = 'grant') = (transcription_id IS NULL)", name=op.f("ck_transactions_transcription")
        ),
        sa.CheckConstraint("reason = 'grant' OR amount_hundredths > 0", name=op.f("ck_transactions_payment")),
        sa.CheckConstraint("reason IN ('rating', 'correction', 'grant')", name=op.f("ck_transactions_reason")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transactions_user_id_date_of_transaction", "transactions", ["user_id", "date_of_transaction"])
    op.create_table(
        "paid_audio",
        sa.Column("reason", _CODE, nullable=False),
        sa.Column("audio", sa.String(600), nullable=False),
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("reason", "audio", name="pk_paid_audio"),
        _of_transcription("paid_audio"),
    )
    op.create_index("ix_paid_audio_transcription_id", "paid_audio", ["transcription_id"])


def _export() -> None:
    op.create_table(
        "tombstones",
        sa.Column("transcription_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("change_sequence", sa.BigInteger(), nullable=False),
        sa.Column("deletion_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("transcription_id", name="pk_tombstones"),
    )
    op.create_index(
        "ix_tombstones_change_sequence_transcription_id", "tombstones", ["change_sequence", "transcription_id"]
    )
    counter = op.create_table(
        "change_counter",
        sa.Column("id", sa.SmallInteger(), nullable=False, autoincrement=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_counter"),
        sa.CheckConstraint("id = 1", name=op.f("ck_change_counter_one_row")),
    )
    op.bulk_insert(counter, [{"id": 1, "value": 0}])


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("sha256", _SHA256, nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("name", "version", name="uq_models_name_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "model_aliases",
        sa.Column("alias", _CODE, nullable=False),
        sa.Column("model_id", _ROW_ID, nullable=False),
        sa.Column("changed_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_model_aliases"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_aliases_model_id"),
    )


def _lock_ledger() -> None:
    """Create triggers that refuse to change or delete an entry of the ledger."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
        for name, change in (("update", f"UPDATE OF {_LEDGER_FACTS}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER transactions_no_{name} BEFORE {change} ON transactions "
                "FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
            )
        return
    for name, change in (("update", f"UPDATE OF {_LEDGER_FACTS}"), ("delete", "DELETE")):
        op.execute(
            f"CREATE TRIGGER transactions_no_{name} BEFORE {change} ON transactions "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
