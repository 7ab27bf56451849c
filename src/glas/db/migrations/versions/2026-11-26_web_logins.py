# ruff: noqa: INP001 - Alembic loads this file by its path
"""Create the table `web_logins`, and permit the verdict `other_voice` in the table `reviews`.

`web_logins` contains the links with which people sign in to the web pages. A reviewer gives the verdict `other_voice`
if the sender of a recording does not speak in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_web_logins"
down_revision = "20261126_models"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_VERDICTS = "'accept', 'correct', 'skip', 'bad_audio', 'not_speech'"


def upgrade() -> None:
    """Create the table `web_logins`, and permit the verdict `other_voice`."""
    op.create_table(
        "web_logins",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("user_id", _ROW_ID, nullable=False),
        sa.Column("expiry_datetime", _MOMENT, nullable=False),
        sa.Column("used_datetime", _MOMENT),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_web_logins"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_web_logins_user_id"),
    )
    for column in ("user_id", "expiry_datetime"):
        op.create_index(f"ix_web_logins_{column}", "web_logins", [column])
    _set_verdicts(f"{_VERDICTS}, 'other_voice'")


def downgrade() -> None:
    """Drop the table `web_logins`, and replace the verdict `other_voice` by `bad_audio`."""
    op.drop_table("web_logins")
    op.execute("UPDATE reviews SET verdict = 'bad_audio' WHERE verdict = 'other_voice'")
    _set_verdicts(_VERDICTS)


def _set_verdicts(verdicts: str) -> None:
    """Set which verdicts a review may have. SQLite copies the table `reviews`."""
    with op.batch_alter_table("reviews", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f("ck_reviews_verdict"), type_="check")
        batch.create_check_constraint(op.f("ck_reviews_verdict"), f"verdict IN ({verdicts})")
