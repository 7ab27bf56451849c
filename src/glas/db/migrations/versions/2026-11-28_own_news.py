# ruff: noqa: INP001 - Alembic loads this file by its path
"""Permit news about own models: an announcement is about a model with a record, or about an own model."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "20261128_own_news"
down_revision = "20261127_installation"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AUTOINCREMENT = {"sqlite_autoincrement": True}
_UNIQUE = "uq_announcements_own_model_id_user_id_kind"


def upgrade() -> None:
    """Add the column `own_model_id` to the table `announcements`, and permit announcements of the kind `own_news`.

    On SQLite, this copies the table `announcements`.
    """
    with op.batch_alter_table("announcements", table_kwargs=_AUTOINCREMENT) as batch:
        batch.alter_column("model_id", existing_type=_ROW_ID, nullable=True)
        batch.add_column(sa.Column("own_model_id", _ROW_ID))
        batch.create_foreign_key(
            "fk_announcements_own_model_id", "own_models", ["own_model_id"], ["id"], ondelete="CASCADE"
        )
        batch.create_unique_constraint(_UNIQUE, ["own_model_id", "user_id", "kind"])
        batch.create_check_constraint(
            op.f("ck_announcements_own_model"),
            "(kind = 'own_news') = (own_model_id IS NOT NULL) AND (model_id IS NULL) = (own_model_id IS NOT NULL)",
        )
        _set_kinds(
            batch, "kind IN ('news', 'own_news', 'question')", "(kind = 'question') = (transcription_id IS NULL)"
        )


def downgrade() -> None:
    """Drop the column `own_model_id`, and delete all announcements of the kind `own_news`.

    The earlier schema does not permit this kind.
    """
    op.execute("DELETE FROM announcements WHERE kind = 'own_news'")
    with op.batch_alter_table("announcements", table_kwargs=_AUTOINCREMENT) as batch:
        _set_kinds(batch, "kind IN ('news', 'question')", "(kind = 'news') = (transcription_id IS NOT NULL)")
        batch.drop_constraint(op.f("ck_announcements_own_model"), type_="check")
        batch.drop_constraint(_UNIQUE, type_="unique")
        batch.drop_constraint("fk_announcements_own_model_id", type_="foreignkey")
        batch.drop_column("own_model_id")
        batch.alter_column("model_id", existing_type=_ROW_ID, nullable=False)


def _set_kinds(batch: BatchOperations, kinds: str, transcription: str) -> None:
    """Set which kinds of announcements the table permits, and for which kinds an announcement names a message."""
    for name, condition in (("kind", kinds), ("transcription", transcription)):
        batch.drop_constraint(op.f(f"ck_announcements_{name}"), type_="check")
        batch.create_check_constraint(op.f(f"ck_announcements_{name}"), condition)
