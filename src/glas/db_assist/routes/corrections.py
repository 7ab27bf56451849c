"""Routes about corrections, and about Telegram messages of the bot that show the text of a recording."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import ChatId, RowId
from glas.clients.correction_bodies import AttachedMessage, Correction, CorrectionReference, CorrectionResult
from glas.db_assist import attached, correction_history, corrections, showing
from glas.db_assist.routes import RowPath, database, rules
from glas.domain.corrections import CorrectionChange

router = APIRouter(prefix="/transcriptions/{transcription_id}")


@router.put("/correction")
async def correct(request: Request, transcription_id: RowPath, correction: Correction) -> CorrectionResult:
    """Store an author's correction, and pay for it once."""
    async with database(request).writing() as session:
        result = await corrections.correct(transcription_id, correction, settings=rules(request), session=session)
        if correction.lets_bot_show:
            await showing.remember(result, session=session)
        return result


@router.post("/correction/take-back")
async def take_back(request: Request, transcription_id: RowPath, wanted: CorrectionReference) -> CorrectionResult:
    """Undo the last change of a message's words."""
    async with database(request).writing() as session:
        result = await corrections.take_back(transcription_id, wanted, session=session)
        if wanted.lets_bot_show:
            await showing.remember(result, session=session)
        return result


@router.get("/correction/history")
async def history(request: Request, transcription_id: RowPath) -> tuple[CorrectionChange, ...]:
    """Return all changes of a message's words, the oldest first."""
    async with database(request).reading() as session:
        return await correction_history.history(transcription_id, session=session)


@router.put("/messages")
async def attach(request: Request, transcription_id: RowPath, message: AttachedMessage) -> AttachedMessage:
    """Store the id of a further message of the bot that shows the text of a recording."""
    async with database(request).writing() as session:
        await attached.attach(transcription_id, message, session=session)
    return message


@router.delete("/messages")
async def detach(
    request: Request,
    transcription_id: RowPath,
    chat_id: Annotated[ChatId, Query()],
    message_id: Annotated[RowId, Query()],
) -> None:
    """Remove a message of the bot from the list of messages that show the text of a recording."""
    async with database(request).writing() as session:
        await attached.detach(transcription_id, chat_id, message_id, session=session)


@router.get("/messages")
async def attached_messages(request: Request, transcription_id: RowPath) -> tuple[AttachedMessage, ...]:
    """Return the messages of the bot that show the text of a recording, except the answer to the recording."""
    async with database(request).reading() as session:
        return await attached.list_attached(transcription_id, session=session)
