# ruff: noqa: INP001 - Alembic loads this file by its path
"""Add the random name of the installation, by which a backup finds its own log of deletions."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "20261127_installation"
down_revision = "20261127_own_models"


def upgrade() -> None:
    """Create the table `installation` with its one row, which has a new random name."""
    table = op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
    )
    op.bulk_insert(table, [{"id": 1, "name": secrets.token_hex(8)}])


def downgrade() -> None:
    """Drop the table `installation`."""
    op.drop_table("installation")
