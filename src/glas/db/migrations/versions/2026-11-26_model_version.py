# ruff: noqa: INP001 - Alembic loads this file by its path
"""Store the version of the weights with each text, next to the name of the model."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_model_version"
down_revision = "20261122_answer_chat"


def upgrade() -> None:
    """Add the column `model_version` to the table `transcriptions`.

    This is fast, because neither SQLite nor PostgreSQL copies the table.

    Texts that were stored before this migration get no version, because it is not known.
    """
    op.add_column("transcriptions", sa.Column("model_version", sa.String(64)))


def downgrade() -> None:
    """Drop the column `model_version`. The versions of all texts are lost."""
    op.drop_column("transcriptions", "model_version")
