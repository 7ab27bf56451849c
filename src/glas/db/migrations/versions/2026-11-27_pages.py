# ruff: noqa: INP001 - Alembic loads this file by its path
"""What the pages decide: about models with what served before and after, and the steps of a round of learning."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "20261127_pages"
down_revision = "20261126_audit"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_FORMER_ACTIONS = ("role", "reviewer", "ban", "grant", "forget", "delete_message", "read_message")
_ACTIONS = (*_FORMER_ACTIONS, "model", "read_report")
_STEPS = "'export', 'dataset', 'finetune', 'evaluate', 'decide'"
_REFUSAL = "entries of the audit are never changed"


def upgrade() -> None:
    """Add what is new; SQLite copies the audit, whose triggers are made again."""
    for name in ("champion_before", "champion_after"):
        op.add_column("model_decisions", sa.Column(name, sa.String(600)))
    _allow(_ACTIONS)
    op.create_table(
        "learning_steps",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("round", sa.String(64), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("began_datetime", _MOMENT, nullable=False),
        sa.Column("finished_datetime", _MOMENT),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_steps"),
        sa.UniqueConstraint("round", "step", name="uq_learning_steps_round_step"),
        sa.CheckConstraint(f"step IN ({_STEPS})", name=op.f("ck_learning_steps_step")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Remove all of it; entries of the audit about models go, since the former table has no word for them."""
    op.drop_table("learning_steps")
    _guard(drop=True)
    op.execute("DELETE FROM audit WHERE action IN ('model', 'read_report')")
    _guard()
    _allow(_FORMER_ACTIONS)
    for name in ("champion_before", "champion_after"):
        op.drop_column("model_decisions", name)


def _allow(actions: Sequence[str]) -> None:
    """Set the actions that an entry of the audit may have."""
    _guard(drop=True)
    with op.batch_alter_table("audit", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_audit_action"), type_="check")
        listed = ", ".join(repr(one) for one in actions)
        batch.create_check_constraint(op.f("ck_audit_action"), f"action IN ({listed})")
    _guard()


def _guard(*, drop: bool = False) -> None:
    """Let nobody change or delete an entry of the audit, or let them while the table is rebuilt."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    for change in ("update", "delete"):
        name = f"audit_no_{change}"
        if drop:
            op.execute(f"DROP TRIGGER {name}" + (" ON audit" if is_postgres else ""))
            continue
        body = (
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
            if is_postgres
            else f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {change.upper()} ON audit {body}")
