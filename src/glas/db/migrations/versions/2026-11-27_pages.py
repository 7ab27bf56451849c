# ruff: noqa: INP001 - Alembic loads this file by its path
"""Add columns for the champions before and after each decision about a model, and a table of the steps of rounds.

Bans get columns for their reason and their end. A new table lists the texts that were corrected on the web pages and
that the bot must update in Telegram. Indexes get more columns, because the web pages show sums over these columns.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "20261127_pages"
down_revision = "20261126_audit"

_Indexes = Sequence[tuple[str, str, list[str]]]

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_FORMER_ACTIONS = ("role", "reviewer", "ban", "grant", "forget", "delete_message", "read_message")
_ACTIONS = (*_FORMER_ACTIONS, "model", "read_report")
# Indexes as name, table and columns: those that `upgrade` drops, then those that it creates in their place.
_FORMER_INDEXES = (
    ("ix_transcriptions_user_id_creation_datetime", "transcriptions", ["user_id", "creation_datetime"]),
    ("ix_transcriptions_creation_datetime", "transcriptions", ["creation_datetime"]),
    ("ix_transactions_user_id_date_of_transaction", "transactions", ["user_id", "date_of_transaction"]),
)
_INDEXES = (
    (
        "ix_transcriptions_user_id_creation_datetime_status_duration_s",
        "transcriptions",
        ["user_id", "creation_datetime", "status", "duration_s"],
    ),
    (
        "ix_transcriptions_creation_datetime_user_id_duration_s",
        "transcriptions",
        ["creation_datetime", "user_id", "duration_s"],
    ),
    ("ix_transactions_sums", "transactions", ["user_id", "date_of_transaction", "amount_hundredths", "reason"]),
)
_STEPS = "'export', 'dataset', 'finetune', 'evaluate', 'decide'"
_REFUSAL = "entries of the audit are never changed"


def upgrade() -> None:
    """Add the tables, columns and indexes. SQLite copies the table of the audit, so its triggers are created again."""
    for name in ("champion_before", "champion_after"):
        op.add_column("model_decisions", sa.Column(name, sa.String(600)))
    _allow(_ACTIONS)
    _replace_indexes(_FORMER_INDEXES, _INDEXES)
    # Nullable, so that SQLite need not copy the table to which all others refer.
    op.add_column("users", sa.Column("ban_reason", sa.String(512)))
    op.add_column("users", sa.Column("ban_until", _MOMENT))
    ends = sa.text("ban_until IS NOT NULL")
    op.create_index("ix_users_ban_until", "users", ["ban_until"], postgresql_where=ends, sqlite_where=ends)
    op.create_table(
        "learning_steps",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("round", sa.String(64), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("began_datetime", _MOMENT, nullable=False),
        sa.Column("finished_datetime", _MOMENT),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_steps"),
        sa.UniqueConstraint("round", "step", name="uq_learning_steps_round_step"),
        sa.CheckConstraint(f"step IN ({_STEPS})", name=op.f("ck_learning_steps_step")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "texts_to_show",
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("transcription_id", name="pk_texts_to_show"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_texts_to_show_transcription_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_texts_to_show_bot_id", "texts_to_show", ["bot_id"])


def downgrade() -> None:
    """Drop the tables, columns and indexes of this migration.

    Entries of the audit about models are deleted, because the earlier schema does not permit such entries.
    """
    _replace_indexes(_INDEXES, _FORMER_INDEXES)
    op.drop_table("texts_to_show")
    op.drop_table("learning_steps")
    op.drop_index("ix_users_ban_until", "users")
    op.drop_column("users", "ban_until")
    op.drop_column("users", "ban_reason")
    _guard(drop=True)
    op.execute("DELETE FROM audit WHERE action IN ('model', 'read_report')")
    _guard()
    _allow(_FORMER_ACTIONS)
    for name in ("champion_before", "champion_after"):
        op.drop_column("model_decisions", name)


def _replace_indexes(former: _Indexes, new: _Indexes) -> None:
    for name, table, columns in new:
        op.create_index(name, table, columns)
    for name, table, _ in former:
        op.drop_index(name, table)


def _allow(actions: Sequence[str]) -> None:
    """Set the actions that an entry of the audit may have."""
    _guard(drop=True)
    with op.batch_alter_table("audit", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_audit_action"), type_="check")
        listed = ", ".join(repr(one) for one in actions)
        batch.create_check_constraint(op.f("ck_audit_action"), f"action IN ({listed})")
    _guard()


def _guard(*, drop: bool = False) -> None:
    """Create the triggers that protect the audit, or drop these triggers if `drop` is set."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    for change in ("update", "delete"):
        name = f"audit_no_{change}"
        if drop:
            op.execute(f"DROP TRIGGER {name}" + (" ON audit" if is_postgres else ""))
            continue
        body = (
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
            if is_postgres
            else f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {change.upper()} ON audit {body}")
