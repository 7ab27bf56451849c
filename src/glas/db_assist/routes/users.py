"""Routes about people and chats."""

from fastapi import APIRouter, Request

from glas.clients.db_assist_bodies import (
    BanChoice,
    ChatMove,
    ChatSettings,
    ConsentChoice,
    Forgotten,
    LocaleChoice,
    PersonalData,
    RoleChoice,
    Standing,
    Usage,
)
from glas.db_assist import chats, people, privacy
from glas.db_assist.routes import ChatPath, PersonPath, RowPath, agreement, database
from glas.domain.people import Purpose, User

router = APIRouter()


@router.put("/users/{tg_id}")
async def register(request: Request, tg_id: PersonPath, choice: LocaleChoice) -> User:
    """Create a person; a person who exists stays unchanged."""
    async with database(request).writing() as session:
        return await people.register(tg_id, choice.locale, session=session)


@router.get("/users/{tg_id}")
async def user(request: Request, tg_id: PersonPath) -> User:
    """Find a person."""
    async with database(request).reading() as session:
        return await people.find(tg_id, session=session)


@router.delete("/users/{tg_id}")
async def forget(request: Request, tg_id: PersonPath) -> Forgotten:
    """Delete a person and their messages; the ledger entries stay without a name."""
    async with database(request).writing() as session:
        gone = await privacy.forget(tg_id, session=session)
    agreement(request).expire()
    return gone


@router.put("/users/{tg_id}/locale")
async def set_locale(request: Request, tg_id: PersonPath, choice: LocaleChoice) -> User:
    """Set the language."""
    async with database(request).writing() as session:
        return await people.set_locale(tg_id, choice.locale, session=session)


@router.put("/users/{tg_id}/consents/{purpose}")
async def set_consent(request: Request, tg_id: PersonPath, purpose: Purpose, choice: ConsentChoice) -> User:
    """Store a consent or its withdrawal."""
    async with database(request).writing() as session:
        changed = await people.set_consent(tg_id, purpose, choice, session=session)
    agreement(request).expire()
    return changed


@router.put("/users/{tg_id}/role")
async def set_role(request: Request, tg_id: PersonPath, choice: RoleChoice) -> User:
    """Set the role."""
    async with database(request).writing() as session:
        return await people.set_role(tg_id, choice.role, session=session)


@router.put("/users/{tg_id}/ban")
async def set_ban(request: Request, tg_id: PersonPath, choice: BanChoice) -> User:
    """Ban a person or lift the ban."""
    async with database(request).writing() as session:
        return await people.set_ban(tg_id, banned=choice.banned, session=session)


@router.get("/users/{tg_id}/usage")
async def usage(request: Request, tg_id: PersonPath) -> Usage:
    """Count what a person sent in the last 24 hours."""
    async with database(request).reading() as session:
        return await people.usage(tg_id, session=session)


@router.get("/users/{tg_id}/standing")
async def standing(request: Request, tg_id: PersonPath) -> Standing:
    """Find a person together with what they sent in the last 24 hours."""
    async with database(request).reading() as session:
        return await people.standing(tg_id, session=session)


@router.get("/users/{tg_id}/data")
async def data(request: Request, tg_id: PersonPath) -> PersonalData:
    """Return all data that is stored about a person."""
    async with database(request).reading() as session:
        return await privacy.collect(tg_id, session=session)


@router.get("/chats/{bot_id}/{chat_id}")
async def chat(request: Request, bot_id: RowPath, chat_id: ChatPath) -> ChatSettings:
    """Return the settings of the bot in a chat."""
    async with database(request).reading() as session:
        return await chats.find(bot_id, chat_id, session=session)


@router.put("/chats/{bot_id}/{chat_id}")
async def set_chat(request: Request, bot_id: RowPath, chat_id: ChatPath, settings: ChatSettings) -> ChatSettings:
    """Change the settings of the bot in a chat."""
    async with database(request).writing() as session:
        return await chats.change(bot_id, chat_id, settings, session=session)


@router.post("/chats/{bot_id}/{chat_id}/move")
async def move_chat(request: Request, bot_id: RowPath, chat_id: ChatPath, move: ChatMove) -> ChatSettings:
    """Copy the settings of a chat to its new number."""
    async with database(request).writing() as session:
        return await chats.move(bot_id, chat_id, move.new_chat_id, session=session)
