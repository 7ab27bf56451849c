# ruff: noqa: INP001 - Alembic loads this file by its path
"""Restrict the verdicts of reviews, add columns for agreement and payment, and add holds of messages for reviewers.

`upgrade` deletes all rows of the table `reviews`. No data is lost, because no code wrote into this table before the
migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_reviews"
down_revision = "20261126_vocabularies"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_CODE = sa.String(32)
_AUTOINCREMENT = {"sqlite_autoincrement": True}
_LEDGER_FACTS = (
    "id, user_id, amount_hundredths, reason, transcription_id, role_earned, granted_by, idempotency_key, "
    "date_of_transaction"
)


def upgrade() -> None:
    """Empty and extend the table `reviews`, create `review_holds`, and permit the reason `review` in the ledger.

    On SQLite, this copies the tables `reviews` and `transactions`.
    """
    op.execute("DELETE FROM reviews")
    with op.batch_alter_table("reviews", table_kwargs=_AUTOINCREMENT) as batch:
        batch.add_column(sa.Column("is_agreed", sa.Boolean(), nullable=False))
        batch.add_column(sa.Column("reward_refusal", _CODE))
        batch.create_check_constraint(
            op.f("ck_reviews_verdict"), "verdict IN ('accept', 'correct', 'skip', 'bad_audio', 'not_speech')"
        )
        batch.create_check_constraint(
            op.f("ck_reviews_reference"), "(verdict IN ('accept', 'correct')) = (reference IS NOT NULL)"
        )
    op.create_table(
        "review_holds",
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("reviewer_id", _ROW_ID, nullable=False),
        sa.Column("expiry_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("transcription_id", name="pk_review_holds"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_review_holds_transcription_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name="fk_review_holds_reviewer_id"),
    )
    op.create_index("ix_review_holds_reviewer_id", "review_holds", ["reviewer_id"])
    _set_reasons("'rating', 'correction', 'review', 'grant'")


def _set_reasons(reasons: str) -> None:
    """Change which reasons the entries of the ledger may have.

    SQLite copies the table, and deletes the triggers together with the old table. So this function creates the triggers
    again on SQLite.
    """
    with op.batch_alter_table("transactions", table_kwargs=_AUTOINCREMENT) as batch:
        batch.drop_constraint(op.f("ck_transactions_reason"), type_="check")
        batch.create_check_constraint(op.f("ck_transactions_reason"), f"reason IN ({reasons})")
    if op.get_bind().dialect.name == "sqlite":
        for name, change in (("update", f"UPDATE OF {_LEDGER_FACTS}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER transactions_no_{name} BEFORE {change} ON transactions "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )


def downgrade() -> None:
    """Empty the table `reviews`, and drop its new columns and the table `review_holds`.

    Payments for reviews become grants (payments by an administrator), so that people keep their coins.
    """
    op.drop_table("review_holds")
    op.execute("DELETE FROM reviews")
    with op.batch_alter_table("reviews", table_kwargs=_AUTOINCREMENT) as batch:
        batch.drop_constraint(op.f("ck_reviews_reference"), type_="check")
        batch.drop_constraint(op.f("ck_reviews_verdict"), type_="check")
        batch.drop_column("reward_refusal")
        batch.drop_column("is_agreed")
    _unlock_ledger()
    op.execute("UPDATE transactions SET reason = 'grant', transcription_id = NULL WHERE reason = 'review'")
    _lock_ledger()
    op.execute("DELETE FROM paid_audio WHERE reason = 'review'")
    _set_reasons("'rating', 'correction', 'grant'")


def _unlock_ledger() -> None:
    on = " ON transactions" if op.get_bind().dialect.name == "postgresql" else ""
    for name in ("update", "delete"):
        op.execute(f"DROP TRIGGER transactions_no_{name}{on}")


def _lock_ledger() -> None:
    """Create the triggers of the ledger again on PostgreSQL; on SQLite, `_set_reasons` has created them."""
    if op.get_bind().dialect.name == "postgresql":
        for name, change in (("update", f"UPDATE OF {_LEDGER_FACTS}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER transactions_no_{name} BEFORE {change} ON transactions "
                "FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
            )
