"""Store which messages of the bot show the text of a recording, so that a correction can update all of them."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.correction_bodies import AttachedMessage
from glas.db.correction_tables import AttachedMessageRow
from glas.db.session import insert
from glas.db_assist import messages


async def attach(transcription_id: int, message: AttachedMessage, *, session: AsyncSession) -> None:
    """Store the id of a message of the bot that shows the text of a recording.

    Raises:
        NotFoundError: there is no message with the id `transcription_id`.
    """
    await messages.find(transcription_id, session=session)
    values = message.model_dump(mode="json") | {"transcription_id": transcription_id}
    await session.execute(insert(session, AttachedMessageRow).values(values).on_conflict_do_nothing())


async def detach(transcription_id: int, chat_id: int, message_id: int, *, session: AsyncSession) -> None:
    """Delete the entry that `attach` stored."""
    row = AttachedMessageRow
    named = (row.transcription_id == transcription_id, row.chat_id == chat_id, row.message_id == message_id)
    await session.execute(delete(row).where(*named))


async def list_attached(transcription_id: int, *, session: AsyncSession) -> tuple[AttachedMessage, ...]:
    """Return the stored messages of the bot that show the text of a recording, the oldest first."""
    query = select(AttachedMessageRow).where(AttachedMessageRow.transcription_id == transcription_id)
    rows = await session.scalars(query.order_by(AttachedMessageRow.chat_id, AttachedMessageRow.message_id))
    return tuple(AttachedMessage(kind=row.kind, chat_id=row.chat_id, message_id=row.message_id) for row in rows)
