# ruff: noqa: INP001 - Alembic loads this file by its path
"""Permit entries of the audit that name no administrator.

db_assist writes such an entry when it deletes messages because of their age.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_retention"
down_revision = "20261127_second_hypotheses"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_FORMER = "'role', 'reviewer', 'ban', 'grant', 'forget', 'delete_message', 'read_message', 'model', 'read_report'"
_REFUSAL = "entries of the audit are never changed"
_COLUMNS = "id, actor_id, subject_id, transcription_id, action, before, after, creation_datetime"


def upgrade() -> None:
    """Permit entries of the audit that name no administrator, and permit the action `retention`."""
    _change(f"{_FORMER}, 'retention'", needs_actor=False)


def downgrade() -> None:
    """Delete the entries that name no administrator, because the earlier schema does not permit such entries."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE audit DISABLE TRIGGER audit_no_delete")
        op.execute("DELETE FROM audit WHERE actor_id IS NULL")
        op.execute("ALTER TABLE audit ENABLE TRIGGER audit_no_delete")
    _change(_FORMER, needs_actor=True)


def _change(actions: str, *, needs_actor: bool) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("audit", "actor_id", existing_type=_ROW_ID, nullable=not needs_actor)
        op.drop_constraint(op.f("ck_audit_action"), "audit", type_="check")
        op.create_check_constraint(op.f("ck_audit_action"), "audit", f"action IN ({actions})")
        return
    # SQLite changes no column in place: the rows move to a new table, which needs its triggers and indexes again.
    op.rename_table("audit", "audit_former")
    for column in ("subject_id", "actor_id"):
        op.drop_index(f"ix_audit_{column}_id", "audit_former")
    op.create_table(
        "audit",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("actor_id", _ROW_ID, nullable=not needs_actor),
        sa.Column("subject_id", _ROW_ID),
        sa.Column("transcription_id", sa.BigInteger()),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_audit_actor_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["users.id"], name="fk_audit_subject_id"),
        sa.CheckConstraint(f"action IN ({actions})", name=op.f("ck_audit_action")),
        sqlite_autoincrement=True,
    )
    kept = " WHERE actor_id IS NOT NULL" if needs_actor else ""
    op.execute(f"INSERT INTO audit ({_COLUMNS}) SELECT {_COLUMNS} FROM audit_former{kept}")  # noqa: S608 - constants
    op.drop_table("audit_former")
    for column in ("subject_id", "actor_id"):
        op.create_index(f"ix_audit_{column}_id", "audit", [column, "id"])
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change} BEFORE {change.upper()} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
