"""Routes about people and chats."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.ban_bodies import BanChoice
from glas.clients.bodies import Sha256, TgId
from glas.clients.db_assist_bodies import (
    ChatMove,
    ChatSettings,
    ConsentChoice,
    LocaleChoice,
    RoleChoice,
    Standing,
    UsageRecord,
)
from glas.clients.held_bodies import Forgotten, PersonalData
from glas.db.deletions import Deletion, DeletionLog
from glas.db_assist import bans, chats, people, privacy, usage
from glas.db_assist.routes import Administrator, ChatPath, PersonPath, RowPath, agreement, database
from glas.domain.people import Purpose, User

router = APIRouter()


@router.put("/users/{tg_id}")
async def register(request: Request, tg_id: PersonPath, choice: LocaleChoice) -> User:
    """Store a new person; if the person is registered already, change nothing."""
    async with database(request).writing() as session:
        return await people.register(tg_id, choice.locale, session=session)


@router.get("/users/{tg_id}")
async def user(request: Request, tg_id: PersonPath) -> User:
    """Return a person."""
    async with database(request).reading() as session:
        return await people.find(tg_id, session=session)


@router.delete("/users/{tg_id}")
async def forget(request: Request, tg_id: PersonPath, by: Administrator = None) -> Forgotten:
    """Delete a person's identity and messages; the ledger entries stay."""
    async with database(request).writing() as session:
        forgotten = await privacy.forget(tg_id, by=by, session=session)
        await log_deletion(request, forgotten)
    await database(request).empty_log()
    agreement(request).expire()
    return forgotten


async def log_deletion(request: Request, forgotten: Forgotten, *, is_of_messages: bool = False) -> None:
    """Write a deletion to the log of deletions, if there is a log and something is deleted.

    Call this function before the commit of the deletion. If the process crashes before the commit, nothing is deleted,
    and the deletion will be requested again.
    """
    log: DeletionLog | None = request.app.state.deletions
    if log is not None and forgotten.user_id is not None:
        deletion = Deletion.model_validate(forgotten, from_attributes=True)
        await asyncio.to_thread(log.add, deletion.model_copy(update={"is_of_messages": is_of_messages}))


@router.put("/users/{tg_id}/locale")
async def set_locale(request: Request, tg_id: PersonPath, choice: LocaleChoice) -> User:
    """Set the language of a person."""
    async with database(request).writing() as session:
        return await people.set_locale(tg_id, choice.locale, session=session)


@router.put("/users/{tg_id}/consents/{purpose}")
async def set_consent(request: Request, tg_id: PersonPath, purpose: Purpose, choice: ConsentChoice) -> User:
    """Store that a person gives or withdraws a consent."""
    async with database(request).writing() as session:
        changed = await people.set_consent(tg_id, purpose, choice, session=session)
    agreement(request).expire()
    return changed


@router.put("/users/{tg_id}/role")
async def set_role(request: Request, tg_id: PersonPath, choice: RoleChoice, by: Administrator = None) -> User:
    """Set the role of a person."""
    async with database(request).writing() as session:
        return await people.set_role(tg_id, choice.role, by=by, session=session)


@router.put("/users/{tg_id}/ban")
async def set_ban(request: Request, tg_id: PersonPath, choice: BanChoice, by: Administrator = None) -> User:
    """Ban a person or lift the ban."""
    async with database(request).writing() as session:
        return await bans.set_ban(tg_id, choice, by=by, session=session)


@router.get("/users/{tg_id}/data")
async def data(request: Request, tg_id: PersonPath, party: Annotated[Sha256 | None, Query()] = None) -> PersonalData:
    """Return all data that is stored about a person; if their pseudonym is given (`party`), also return the usage."""
    async with database(request).reading() as session:
        return await privacy.collect(tg_id, party, session=session)


@router.get("/standing")
async def standing(
    request: Request, party: Annotated[Sha256, Query()], tg_id: Annotated[TgId | None, Query()] = None
) -> Standing:
    """Return the usage of a party in the last 24 hours and, if `tg_id` is registered, the person."""
    async with database(request).reading() as session:
        return Standing(
            user=None if tg_id is None else await people.known(tg_id, session=session),
            usage=await usage.usage_of(party, session=session),
        )


@router.post("/usage")
async def count_usage(request: Request, record: UsageRecord) -> None:
    """Add a recording that has no row in the table of messages to the daily usage of its party.

    If the recording is counted already, do nothing.
    """
    async with database(request).writing() as session:
        await usage.count(record, session=session)


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
    """Copy the settings of a chat to its new id."""
    async with database(request).writing() as session:
        return await chats.move(bot_id, chat_id, move.new_chat_id, session=session)
