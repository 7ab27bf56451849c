# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the table `own_models`: models that answer one person or one group instead of the champion."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_own_models"
down_revision = "20261127_retention"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table `own_models`."""
    op.create_table(
        "own_models",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID),
        sa.Column("chat_id", sa.BigInteger()),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("instead_of", sa.String(64), nullable=False),
        sa.Column("wer_before", sa.Double(), nullable=False),
        sa.Column("wer_after", sa.Double(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("operator", sa.String(512), nullable=False),
        sa.Column("creation_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_own_models"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_own_models_user_id"),
        sa.UniqueConstraint("user_id", name="uq_own_models_user_id"),
        sa.UniqueConstraint("chat_id", name="uq_own_models_chat_id"),
        sa.UniqueConstraint("name", name="uq_own_models_name"),
        sa.CheckConstraint("user_id IS NULL OR chat_id IS NULL", name=op.f("ck_own_models_owner")),
        sa.CheckConstraint("chat_id < 0", name=op.f("ck_own_models_chat_id")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the table `own_models`."""
    op.drop_table("own_models")
