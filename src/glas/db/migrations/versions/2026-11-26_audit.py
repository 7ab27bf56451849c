# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the tables `audit` and `work_to_forget`, and indexes for the web pages.

`work_to_forget` contains the people whose records of work must be deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_audit"
down_revision = "20261126_web_logins"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_ACTIONS = "'role', 'reviewer', 'ban', 'grant', 'forget', 'delete_message', 'read_message'"
_REFUSAL = "entries of the audit are never changed"
_CHANGES = ("update", "delete")


def upgrade() -> None:
    """Create both tables, the triggers that protect the table `audit`, and the indexes."""
    op.create_table(
        "audit",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("actor_id", _ROW_ID, nullable=False),
        sa.Column("subject_id", _ROW_ID),
        sa.Column("transcription_id", sa.BigInteger()),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_audit_actor_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["users.id"], name="fk_audit_subject_id"),
        sa.CheckConstraint(f"action IN ({_ACTIONS})", name=op.f("ck_audit_action")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_subject_id_id", "audit", ["subject_id", "id"])
    op.create_index("ix_audit_actor_id_id", "audit", ["actor_id", "id"])
    _guard()
    op.create_table(
        "work_to_forget",
        sa.Column("tg_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tg_id", name="pk_work_to_forget"),
    )
    op.create_index("ix_work_to_forget_creation_datetime", "work_to_forget", ["creation_datetime"])
    op.create_index("ix_transcriptions_user_id_id", "transcriptions", ["user_id", "id"])
    op.create_index("ix_transcriptions_creation_datetime", "transcriptions", ["creation_datetime"])
    unfinished = sa.text("status <> 'done'")
    op.create_index(
        "ix_transcriptions_unfinished",
        "transcriptions",
        ["status", "creation_datetime"],
        postgresql_where=unfinished,
        sqlite_where=unfinished,
    )
    rated = sa.text("score <> 0")
    op.create_index(
        "ix_transcriptions_rated",
        "transcriptions",
        ["creation_datetime", "model", "model_version", "score"],
        postgresql_where=rated,
        sqlite_where=rated,
    )


def downgrade() -> None:
    """Drop both tables and the indexes."""
    for name in ("rated", "unfinished", "creation_datetime", "user_id_id"):
        op.drop_index(f"ix_transcriptions_{name}", "transcriptions")
    op.drop_table("work_to_forget")
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")


def _guard() -> None:
    """Create triggers that refuse to change or delete an entry of the audit."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        body = "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    else:
        body = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for change in _CHANGES:
        op.execute(f"CREATE TRIGGER audit_no_{change} BEFORE {change.upper()} ON audit {body}")
