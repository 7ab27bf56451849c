"""Read and change the settings of chats."""

from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.db_assist_bodies import ChatSettings
from glas.db.session import insert
from glas.db.tables import ChatRow
from glas.db_assist import own_models, vocabulary


async def find(bot_id: int, chat_id: int, *, session: AsyncSession) -> ChatSettings:
    """Return the settings of a chat; if none are stored, return the default settings."""
    row = await session.get(ChatRow, (bot_id, chat_id))
    return ChatSettings() if row is None else ChatSettings.model_validate(row, from_attributes=True)


async def change(bot_id: int, chat_id: int, settings: ChatSettings, *, session: AsyncSession) -> ChatSettings:
    """Store the settings of a chat."""
    values = settings.model_dump()
    statement = insert(session, ChatRow).values(bot_id=bot_id, chat_id=chat_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["bot_id", "chat_id"], set_=values))
    return settings


async def move(bot_id: int, chat_id: int, new_chat_id: int, *, session: AsyncSession) -> ChatSettings:
    """Copy the settings of a chat to its new id, unless settings are stored for the new id already.

    The vocabulary of the chat and the own model of the chat are moved to the new id. The settings under the old id are
    kept, because messages that arrived before the change of the id are processed under the old id.
    """
    await vocabulary.move_chat(chat_id, new_chat_id, session=session)
    await own_models.move_chat(chat_id, new_chat_id, session=session)
    row = await session.get(ChatRow, (bot_id, chat_id))
    if row is not None:
        values = ChatSettings.model_validate(row, from_attributes=True).model_dump()
        statement = insert(session, ChatRow).values(bot_id=bot_id, chat_id=new_chat_id, **values)
        await session.execute(statement.on_conflict_do_nothing(index_elements=["bot_id", "chat_id"]))
    return await find(bot_id, new_chat_id, session=session)
