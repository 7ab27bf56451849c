"""Routes about own models."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import ChatId, TgId
from glas.clients.own_models import OwnModelChoice, OwnModelEntry
from glas.db_assist import own_models
from glas.db_assist.routes import RowPath, database
from glas.domain.own_models import OwnModelRecord

router = APIRouter()


@router.put("/own-models")
async def record(request: Request, entry: OwnModelEntry) -> OwnModelRecord:
    """Assign an own model to a person or a group, so that this model answers them."""
    async with database(request).writing() as session:
        return await own_models.record(entry, session=session)


@router.get("/own-models")
async def find(
    request: Request,
    tg_id: Annotated[TgId | None, Query()] = None,
    chat_id: Annotated[ChatId | None, Query()] = None,
) -> tuple[OwnModelRecord, ...]:
    """Return the own models of a person and of a chat; if no parameter is given, return all assigned own models."""
    async with database(request).reading() as session:
        return await own_models.find(tg_id, chat_id, session=session)


@router.put("/own-models/choice")
async def choose(request: Request, choice: OwnModelChoice) -> OwnModelRecord:
    """Store whether the own model or the champion answers a person or a group."""
    async with database(request).writing() as session:
        return await own_models.choose(choice, session=session)


@router.get("/own-models/to-delete")
async def to_delete(request: Request) -> tuple[OwnModelRecord, ...]:
    """Return the own models whose files must be deleted."""
    async with database(request).reading() as session:
        return await own_models.to_delete(session=session)


@router.post("/own-models/{own_model_id}/retirement")
async def retire(request: Request, own_model_id: RowPath) -> None:
    """Retire an own model: end its assignment to a person or group."""
    async with database(request).writing() as session:
        await own_models.retire(own_model_id, session=session)


@router.delete("/own-models/{own_model_id}")
async def deleted(request: Request, own_model_id: RowPath) -> None:
    """Delete the row of an own model whose files are deleted."""
    async with database(request).writing() as session:
        await own_models.deleted(own_model_id, session=session)
