# ruff: noqa: INP001 - Alembic loads this file by its path
"""Add ranks and history of corrections, and the additional messages of the bot that show a corrected text.

Existing corrections get the rank of an author's correction, because only authors could correct before this migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_corrections"
down_revision = "20261126_model_version"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_CODE = sa.String(32)
_RANKS = "rank IN ('reviewer', 'author', 'agreed', 'doubtful')"
_BOTH = "(reference IS NULL) = (rank IS NULL)"


def upgrade() -> None:
    """Add the column `rank` to `corrections`, and create the tables `correction_changes` and `attached_messages`.

    SQLite copies the table `corrections`.
    """
    with op.batch_alter_table("corrections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("rank", _CODE))
        batch.alter_column("reference", existing_type=sa.Text(), nullable=True)
    op.execute("UPDATE corrections SET rank = 'author'")
    with op.batch_alter_table("corrections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.create_check_constraint(op.f("ck_corrections_reference"), _BOTH)
        batch.create_check_constraint(op.f("ck_corrections_rank"), _RANKS)
    _history()
    _attached()
    op.execute(
        "INSERT INTO correction_changes "
        "(transcription_id, user_id, reference, rank, is_applied, sound, creation_datetime) "
        "SELECT c.transcription_id, t.user_id, c.reference, 'author', TRUE, 'unknown', c.changed_datetime "
        "FROM corrections c JOIN transcriptions t ON t.id = c.transcription_id ORDER BY c.id"
    )


def _history() -> None:
    op.create_table(
        "correction_changes",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("reference", sa.Text()),
        sa.Column("rank", _CODE),
        sa.Column("is_applied", sa.Boolean(), nullable=False),
        sa.Column("takes_back", sa.BigInteger()),
        sa.Column("sound", _CODE, nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correction_changes"),
        sa.ForeignKeyConstraint(
            ["transcription_id"],
            ["transcriptions.id"],
            name="fk_correction_changes_transcription_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_correction_changes_user_id"),
        sa.CheckConstraint(_BOTH, name=op.f("ck_correction_changes_reference")),
        sa.CheckConstraint(_RANKS, name=op.f("ck_correction_changes_rank")),
        sa.CheckConstraint("sound IN ('supports', 'denies', 'unknown')", name=op.f("ck_correction_changes_sound")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_correction_changes_transcription_id_id", "correction_changes", ["transcription_id", "id"])
    op.create_index("ix_correction_changes_user_id", "correction_changes", ["user_id"])


def _attached() -> None:
    op.create_table(
        "attached_messages",
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.PrimaryKeyConstraint("transcription_id", "chat_id", "message_id", name="pk_attached_messages"),
        sa.ForeignKeyConstraint(
            ["transcription_id"],
            ["transcriptions.id"],
            name="fk_attached_messages_transcription_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("kind IN ('document', 'subtitles', 'part')", name=op.f("ck_attached_messages_kind")),
    )
    op.create_index("ix_attached_messages_chat_id_message_id", "attached_messages", ["chat_id", "message_id"])


def downgrade() -> None:
    """Drop the column `rank` and the two tables; delete corrections that were undone or are doubtful."""
    op.drop_table("attached_messages")
    op.drop_table("correction_changes")
    op.execute("DELETE FROM corrections WHERE reference IS NULL OR rank = 'doubtful'")
    with op.batch_alter_table("corrections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_corrections_reference"), type_="check")
        batch.drop_constraint(op.f("ck_corrections_rank"), type_="check")
    with op.batch_alter_table("corrections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("reference", existing_type=sa.Text(), nullable=False)
        batch.drop_column("rank")
