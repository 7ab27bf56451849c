# ruff: noqa: INP001 - Alembic loads this file by its path
"""Add the table of the usage within 24 hours, by pseudonym; replace the ids of paid audio by their hashes.

When a person's data is deleted, the person's usage is kept for a day. The hashes are kept for the time `PAID_KEPT` in
`glas.db_assist.coins`.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "20261126_usage"
down_revision = "20261126_reviews"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_CODE = sa.String(32)
_SHA256 = sa.String(64)
_BATCH = 1000


def upgrade() -> None:
    """Add the table of usage; replace the ids of paid audio by their hashes.

    Recordings that were sent before the migration do not count as usage.
    """
    op.create_table(
        "usage_records",
        sa.Column("recording", _SHA256, nullable=False),
        sa.Column("party", _SHA256, nullable=False),
        sa.Column("audio_s", sa.Double(), nullable=False),
        sa.Column("creation_datetime", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("recording", name="pk_usage_records"),
        sa.CheckConstraint("audio_s >= 0", name=op.f("ck_usage_records_audio_s")),
    )
    op.create_index("ix_usage_records_party_creation_datetime", "usage_records", ["party", "creation_datetime"])
    op.create_index("ix_usage_records_creation_datetime", "usage_records", ["creation_datetime"])
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT reason, audio, transcription_id FROM paid_audio")).all()
    op.drop_table("paid_audio")
    table = op.create_table(
        "paid_audio",
        sa.Column("reason", _CODE, nullable=False),
        sa.Column("audio", _SHA256, nullable=False),
        sa.Column("transcription_id", _ROW_ID),
        sa.Column("expiry_datetime", _MOMENT),
        sa.PrimaryKeyConstraint("reason", "audio", name="pk_paid_audio"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_paid_audio_transcription_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_paid_audio_transcription_id", "paid_audio", ["transcription_id"])
    op.create_index("ix_paid_audio_expiry_datetime", "paid_audio", ["expiry_datetime"])
    values = [
        {
            "reason": row.reason,
            "audio": hashlib.sha256(row.audio.encode()).hexdigest(),
            "transcription_id": row.transcription_id,
            "expiry_datetime": None,
        }
        for row in rows
    ]
    for start in range(0, len(values), _BATCH):
        op.bulk_insert(table, values[start : start + _BATCH])


def downgrade() -> None:
    """Drop usage and hashes, and create the earlier table of paid audio without rows.

    The earlier table needs the ids of paid audio, which cannot be computed from hashes. So this table stays empty, and
    the same audio may be paid a second time.
    """
    op.drop_table("usage_records")
    op.drop_table("paid_audio")
    op.create_table(
        "paid_audio",
        sa.Column("reason", _CODE, nullable=False),
        sa.Column("audio", sa.String(600), nullable=False),
        sa.Column("transcription_id", _ROW_ID, nullable=False),
        sa.PrimaryKeyConstraint("reason", "audio", name="pk_paid_audio"),
        sa.ForeignKeyConstraint(
            ["transcription_id"], ["transcriptions.id"], name="fk_paid_audio_transcription_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_paid_audio_transcription_id", "paid_audio", ["transcription_id"])
