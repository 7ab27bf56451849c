# ruff: noqa: INP001 - Alembic loads this file by its path
"""Add a column for the chat of the bot's answer. A group that becomes a supergroup gets a new id in Telegram.

So if a group becomes a supergroup after a recording was sent and before the bot answers, the recording and the answer
have different chat ids.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_answer_chat"
down_revision = "20261122_initial"

_COLUMNS = ["bot_id", "answer_chat_id", "answer_message_id"]
_INDEX = f"ix_transcriptions_{'_'.join(_COLUMNS)}"


def upgrade() -> None:
    """Add the column `answer_chat_id` to the table `transcriptions`.

    This is fast, because neither SQLite nor PostgreSQL copies the table.
    """
    op.add_column("transcriptions", sa.Column("answer_chat_id", sa.BigInteger()))
    op.create_index(_INDEX, "transcriptions", _COLUMNS)


def downgrade() -> None:
    """Drop the column `answer_chat_id`.

    After that, a reply to an answer cannot correct the text if the recording has another chat id than the answer.
    """
    op.drop_index(_INDEX, "transcriptions")
    op.drop_column("transcriptions", "answer_chat_id")
