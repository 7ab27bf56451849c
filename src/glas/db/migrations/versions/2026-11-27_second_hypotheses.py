# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the table `second_hypotheses`: texts that a second model recognised in the recordings of messages."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_second_hypotheses"
down_revision = "20261127_pages"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table `second_hypotheses`."""
    op.create_table(
        "second_hypotheses",
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double()),
        sa.Column("model", sa.String(512), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("creation_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("transcription_id", name="pk_second_hypotheses"),
        sa.ForeignKeyConstraint(
            ["transcription_id"],
            ["transcriptions.id"],
            name="fk_second_hypotheses_transcription_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_second_hypotheses_confidence")),
    )


def downgrade() -> None:
    """Drop the table `second_hypotheses`."""
    op.drop_table("second_hypotheses")
