# ruff: noqa: INP001 - Alembic loads this file by its path
"""The version of the weights that gave a text stands beside the name of the model."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_model_version"
down_revision = "20261122_answer_chat"


def upgrade() -> None:
    """Add the column; both databases do so without copying the table. Of older texts nobody knows the version."""
    op.add_column("transcriptions", sa.Column("model_version", sa.String(64)))


def downgrade() -> None:
    """Forget the versions."""
    op.drop_column("transcriptions", "model_version")
