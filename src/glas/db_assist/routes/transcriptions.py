"""Routes about messages."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import ChatId, Name, RowId, TgId
from glas.clients.db_assist_bodies import (
    AnswerPlace,
    Archived,
    Change,
    Failed,
    Finished,
    NewTranscription,
    Page,
    Rating,
    Reward,
)
from glas.clients.held_bodies import Forgotten
from glas.clients.second_hypotheses import SecondText
from glas.db_assist import changes, messages, privacy, ratings, second_hypotheses
from glas.db_assist.routes import Administrator, RowPath, agreement, database, rules
from glas.db_assist.routes.users import log_deletion
from glas.domain.messages import SecondHypothesis, Transcription

router = APIRouter()

_MAX_PAGE = 5000


@router.post("/transcriptions")
async def create(request: Request, new: NewTranscription) -> Transcription:
    """Create the row of a message; if the row exists already, change only the chat and the message id of its answer."""
    async with database(request).writing() as session:
        return await messages.create(new, session=session)


@router.get("/transcriptions/by-message")
async def by_message(
    request: Request,
    bot_id: Annotated[RowId, Query()],
    chat_id: Annotated[ChatId, Query()],
    answer_message_id: Annotated[RowId, Query()],
) -> Transcription:
    """Find a message by the bot's answer to it."""
    async with database(request).reading() as session:
        return await messages.find_by_answer(bot_id, chat_id, answer_message_id, session=session)


@router.get("/transcriptions/by-recording")
async def by_recording(
    request: Request,
    bot_id: Annotated[RowId, Query()],
    chat_id: Annotated[ChatId, Query()],
    message_id: Annotated[RowId, Query()],
) -> Transcription:
    """Find a message by the ids of the chat and of the Telegram message that contains the recording."""
    async with database(request).reading() as session:
        return await messages.find_by_recording(bot_id, chat_id, message_id, session=session)


@router.get("/transcriptions/by-file")
async def by_file(
    request: Request,
    file_unique_id: Annotated[Name, Query()],
    model: Annotated[Name | None, Query()] = None,
    model_version: Annotated[Name | None, Query()] = None,
    keywords_sha256: Annotated[str | None, Query(pattern=r"^([0-9a-f]{64})?$")] = None,
) -> Transcription | None:
    """Find the newest finished message with the same file, model and keywords; return null if there is none."""
    named = (file_unique_id, model, model_version, keywords_sha256)
    async with database(request).reading() as session:
        return await messages.find_same_file(*named, session=session)


@router.get("/transcriptions/{transcription_id}")
async def transcription(request: Request, transcription_id: RowPath) -> Transcription:
    """Find a message by its id."""
    async with database(request).reading() as session:
        return await messages.find(transcription_id, session=session)


@router.delete("/transcriptions/{transcription_id}")
async def delete(
    request: Request, transcription_id: RowPath, tg_id: Annotated[TgId, Query()], by: Administrator = None
) -> Forgotten:
    """Delete a message of the person `tg_id`; the ledger entries about the message stay."""
    async with database(request).writing() as session:
        forgotten = await privacy.delete_message(transcription_id, tg_id, by=by, session=session)
        await log_deletion(request, forgotten, is_of_messages=True)
    await database(request).empty_log()
    agreement(request).expire()
    return forgotten


@router.put("/transcriptions/{transcription_id}/answer")
async def set_answer(request: Request, transcription_id: RowPath, place: AnswerPlace) -> Transcription:
    """Store the ids of the chat and of the Telegram message in which the bot answered."""
    async with database(request).writing() as session:
        return await messages.set_answer(transcription_id, place, session=session)


@router.put("/transcriptions/{transcription_id}/archive")
async def archive(request: Request, transcription_id: RowPath, archived: Archived) -> Transcription:
    """Store that the original bytes of a message's recording are in the object store."""
    async with database(request).writing() as session:
        return await messages.archive(transcription_id, archived, session=session)


@router.put("/transcriptions/{transcription_id}/result")
async def finish(request: Request, transcription_id: RowPath, finished: Finished) -> Transcription:
    """Store the result of the recognition of a message."""
    async with database(request).writing() as session:
        return await messages.finish(transcription_id, finished, session=session)


@router.put("/transcriptions/{transcription_id}/second-hypothesis")
async def store_second(request: Request, transcription_id: RowPath, wanted: SecondText) -> SecondHypothesis:
    """Store the second hypothesis of a message."""
    async with database(request).writing() as session:
        return await second_hypotheses.store(transcription_id, wanted, session=session)


@router.get("/transcriptions/{transcription_id}/second-hypothesis")
async def second(request: Request, transcription_id: RowPath) -> SecondHypothesis | None:
    """Return the second hypothesis of a message; null if there is none."""
    async with database(request).reading() as session:
        return await second_hypotheses.find(transcription_id, session=session)


@router.put("/transcriptions/{transcription_id}/failure")
async def fail(request: Request, transcription_id: RowPath, failed: Failed) -> Transcription:
    """Store the reason why a message has no text."""
    async with database(request).writing() as session:
        return await messages.fail(transcription_id, failed, session=session)


@router.put("/transcriptions/{transcription_id}/rating")
async def rate(request: Request, transcription_id: RowPath, rating: Rating) -> Reward:
    """Store a person's score for a text, and pay for the first score."""
    async with database(request).writing() as session:
        return await ratings.rate(transcription_id, rating, settings=rules(request), session=session)


@router.get("/changes")
async def changed_since(
    request: Request,
    cursor: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 500,
) -> Page[Change]:
    """Return one page of changes, oldest first: messages that were finished or changed, and deletions."""
    async with database(request).reading() as session:
        return await changes.page(cursor, limit, session=session)
