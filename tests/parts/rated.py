"""Rated messages of a model, written into the database at once."""

import itertools
from datetime import UTC, datetime

from sqlalchemy import select

from glas.db.session import database_url, open_database
from glas.db.tables import TranscriptionRow, UserRow
from glas.domain.messages import MediaKind, Score, Status
from glas.domain.model_ref import ModelRef
from glas.launch.assembly import open_db_assist
from glas.settings import Settings

SPEAKER = 1001

_numbers = itertools.count(1)


async def rate(settings: Settings, model: ModelRef, bad: int, good: int) -> None:
    """Rated messages whose texts a model made: bad and good ones in turn, as evenly as can be."""
    total = bad + good
    async with open_db_assist(settings) as db_assist:
        await db_assist.register(SPEAKER)
    database = open_database(database_url(settings))
    async with database.writing() as session:
        user = (await session.scalars(select(UserRow.id).where(UserRow.tg_id == SPEAKER))).one()
        for place in range(total):
            number = next(_numbers)
            is_bad = (place + 1) * bad // total > place * bad // total
            row = TranscriptionRow(
                user_id=user,
                bot_id=1,
                chat_id=SPEAKER,
                message_id=number,
                attempt=1,
                file_id=f"file-{number}",
                file_unique_id=f"unique-{number}",
                media_kind=MediaKind.VOICE.value,
                is_forwarded=False,
                status=Status.DONE.value,
                text="да",
                duration_s=1.0,
                model=model.name,
                model_version=model.version,
                score=int(Score.BAD if is_bad else Score.BEST),
                creation_datetime=datetime.now(UTC),
                changed_datetime=datetime.now(UTC),
            )
            session.add(row)
    await database.close()
