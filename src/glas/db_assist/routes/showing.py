"""Routes about texts that were corrected on the web pages and that the bot must update in Telegram."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import RowId
from glas.clients.correction_bodies import TextToShow
from glas.db_assist import showing
from glas.db_assist.routes import RowPath, database

router = APIRouter(prefix="/texts-to-show")


@router.get("")
async def waiting(request: Request, bot_id: Annotated[RowId, Query()]) -> tuple[TextToShow, ...]:
    """Return the texts that were corrected on the web pages and that a bot must update in Telegram."""
    async with database(request).reading() as session:
        return await showing.waiting(bot_id, session=session)


@router.delete("/{transcription_id}")
async def taken_up(request: Request, transcription_id: RowPath, change_id: Annotated[RowId, Query()]) -> None:
    """Remove a text from the list of texts to update, because the bot has enqueued the update of its Telegram messages.

    If the text was changed again after `change_id`, it stays in the list.
    """
    async with database(request).writing() as session:
        await showing.taken_up(transcription_id, change_id, session=session)
