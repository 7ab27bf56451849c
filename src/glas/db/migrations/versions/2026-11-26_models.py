# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the tables of models: verdicts, decisions, people from whom a model learnt, and announcements.

The tables of models that the first migration created are dropped. They are empty, because no code wrote into them.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_models"
down_revision = "20261126_usage"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_CODE = sa.String(32)
_NAME = sa.String(512)
_STATES = "'candidate', 'refused', 'champion', 'replaced', 'rolled_back', 'retired'"


def upgrade() -> None:
    """Replace the tables of models, which were not used, and add the column `news_refusal_datetime` to `users`."""
    op.drop_table("model_aliases")
    op.drop_table("models")
    # Nullable, so that SQLite need not copy the table to which all others refer.
    op.add_column("users", sa.Column("news_refusal_datetime", _MOMENT))
    _models()
    _decisions()
    _announcements()


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("base", sa.String(600)),
        sa.Column("dataset_version", sa.String(64)),
        sa.Column("lineage", sa.JSON(), nullable=False),
        sa.Column("n_people", sa.Integer(), nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.Column("champion_datetime", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("name", "version", name="uq_models_name_version"),
        sa.CheckConstraint("n_people >= 0", name=op.f("ck_models_n_people")),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_models_state")),
        sqlite_autoincrement=True,
    )
    is_champion = sa.text("state = 'champion'")
    op.create_index(
        "uq_models_champion",
        "models",
        ["state"],
        unique=True,
        postgresql_where=is_champion,
        sqlite_where=is_champion,
    )
    op.create_table(
        "model_people",
        sa.Column("model_id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "user_id", name="pk_model_people"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_people_model_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_model_people_user_id"),
    )
    op.create_index("ix_model_people_user_id", "model_people", ["user_id"])


def _decisions() -> None:
    op.create_table(
        "model_decisions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("model_id", _ROW_ID, nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("user_id", _ROW_ID),
        sa.Column("operator", _NAME),
        sa.Column("reason", _NAME),
        sa.Column("verdict", sa.JSON()),
        sa.Column("key", _NAME),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_decisions"),
        sa.UniqueConstraint("key", name="uq_model_decisions_key"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_decisions_model_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_model_decisions_user_id"),
        sa.CheckConstraint("(user_id IS NULL) <> (operator IS NULL)", name=op.f("ck_model_decisions_who")),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_model_decisions_state")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_model_decisions_model_id", "model_decisions", ["model_id"])
    op.create_index("ix_model_decisions_user_id", "model_decisions", ["user_id"])


def _announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("model_id", _ROW_ID, nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("transcription_id", _ROW_ID),
        sa.Column("text_before", sa.Text()),
        sa.Column("text_after", sa.Text()),
        sa.Column("claim", sa.String(64)),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("outcome", _CODE),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.Column("sent_datetime", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
        sa.UniqueConstraint("model_id", "user_id", "kind", name="uq_announcements_model_id_user_id_kind"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_announcements_model_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_announcements_user_id"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_announcements_transcription_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "(kind = 'news') = (transcription_id IS NOT NULL)", name=op.f("ck_announcements_transcription")
        ),
        sa.CheckConstraint("kind IN ('news', 'question')", name=op.f("ck_announcements_kind")),
        sa.CheckConstraint("outcome IN ('sent', 'unreachable')", name=op.f("ck_announcements_outcome")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_announcements_user_id", "announcements", ["user_id"])
    op.create_index("ix_announcements_transcription_id", "announcements", ["transcription_id"])
    op.create_index("ix_announcements_bot_id_outcome", "announcements", ["bot_id", "outcome"])


def downgrade() -> None:
    """Drop the new tables. This does not change the champion, which is named in a file in the directory of models."""
    for table in ("announcements", "model_decisions", "model_people", "models"):
        op.drop_table(table)
    op.drop_column("users", "news_refusal_datetime")
    op.create_table(
        "models",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("name", "version", name="uq_models_name_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "model_aliases",
        sa.Column("alias", _CODE, nullable=False),
        sa.Column("model_id", _ROW_ID, nullable=False),
        sa.Column("changed_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_model_aliases"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_aliases_model_id"),
    )
