# ruff: noqa: INP001 - Alembic loads this file by its path
"""Store the vocabularies of people, and a hash of the keywords with which each text was recognised.

Words of existing corrections are not added, because words are taken from a correction only when the correction is
stored.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_vocabularies"
down_revision = "20261126_corrections"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_HAND = sa.text("transcription_id IS NULL")
_TABLE = "vocabulary_words"


def upgrade() -> None:
    """Create the table `vocabulary_words`, and add the column `keywords_sha256` to the table `transcriptions`."""
    op.create_table(
        _TABLE,
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("word", sa.String(512), nullable=False),
        sa.Column("normalised", sa.String(512), nullable=False),
        sa.Column("is_name", sa.Boolean(), nullable=False),
        sa.Column("transcription_id", _ROW_ID),
        sa.Column("change_id", sa.BigInteger()),
        sa.Column("chat_id", sa.BigInteger()),
        sa.Column("creation_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vocabulary_words"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_vocabulary_words_user_id"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_vocabulary_words_transcription_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("transcription_id", "normalised", name="uq_vocabulary_words_transcription_id_normalised"),
        sa.CheckConstraint("(transcription_id IS NULL) = (change_id IS NULL)", name=op.f("ck_vocabulary_words_change")),
        sa.CheckConstraint("chat_id IS NULL OR transcription_id IS NOT NULL", name=op.f("ck_vocabulary_words_chat")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_vocabulary_words_by_hand",
        _TABLE,
        ["user_id", "normalised"],
        unique=True,
        postgresql_where=_BY_HAND,
        sqlite_where=_BY_HAND,
    )
    for columns in (["user_id", "normalised"], ["chat_id", "normalised"], ["normalised", "user_id"]):
        op.create_index(f"ix_vocabulary_words_{'_'.join(columns)}", _TABLE, columns)
    op.add_column("transcriptions", sa.Column("keywords_sha256", sa.String(64)))


def downgrade() -> None:
    """Drop the table `vocabulary_words` and the column `keywords_sha256`."""
    op.drop_column("transcriptions", "keywords_sha256")
    op.drop_table(_TABLE)
