"""Store which texts were corrected on the web pages and must be updated in Telegram.

A text stays in this list until the bot has enqueued the update of its Telegram messages that show the text.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.correction_bodies import CorrectionResult, TextToShow
from glas.db.correction_tables import TextToShowRow
from glas.db.session import insert
from glas.db.tables import TranscriptionRow, UserRow
from glas.db_assist import people
from glas.domain.people import Locale

_KEPT: Final = timedelta(days=30)
"""Time after which a row of this list is deleted even if no bot has requested the list."""

_MOST: Final = 200


async def remember(result: CorrectionResult, *, session: AsyncSession) -> None:
    """Store that the bot must show a changed text; do nothing if no message of the bot shows the text."""
    row = result.transcription
    if not result.is_applied or row.answer_message_id is None:
        return
    values = {"bot_id": row.bot_id, "change_id": result.change_id, "creation_datetime": people.now()}
    new = insert(session, TextToShowRow).values(transcription_id=row.id, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["transcription_id"], set_=values))


async def waiting(bot_id: int, *, session: AsyncSession) -> tuple[TextToShow, ...]:
    """Return the texts that were corrected on a web page and whose messages a bot must update, the oldest first."""
    row, message, user = TextToShowRow, TranscriptionRow, UserRow
    query = (
        select(row.transcription_id, row.change_id, user.tg_id, user.locale, message.chat_id)
        .join(message, message.id == row.transcription_id)
        .join(user, user.id == message.user_id)
        .where(row.bot_id == bot_id, user.tg_id.is_not(None))
        .order_by(row.creation_datetime)
        .limit(_MOST)
    )
    return tuple(
        TextToShow(transcription_id=number, change_id=change, tg_id=tg_id, locale=Locale(locale), chat_id=chat)
        for number, change, tg_id, locale, chat in await session.execute(query)
    )


async def taken_up(transcription_id: int, change_id: int, *, session: AsyncSession) -> None:
    """Delete the row of a text whose update the bot has enqueued, unless the text was changed after `change_id`."""
    row = TextToShowRow
    await session.execute(delete(row).where(row.transcription_id == transcription_id, row.change_id == change_id))


async def delete_expired(*, session: AsyncSession) -> None:
    """Delete the rows of corrected texts that no bot has shown within 30 days."""
    await session.execute(delete(TextToShowRow).where(TextToShowRow.creation_datetime < people.now() - _KEPT))
