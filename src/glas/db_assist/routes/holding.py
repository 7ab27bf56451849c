"""Routes that return people's data for the web pages, and routes about the bot's records of durable work."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.bodies import RowId, TgId
from glas.clients.db_assist_bodies import Page
from glas.clients.held_bodies import MOST_ON_PAGE, Holding, PersonSummary, Reading, ReportReading, WorkToForget
from glas.db_assist import audit, forgetting, holding, model_records, people
from glas.db_assist.routes import PersonPath, RowPath, database
from glas.domain.audit import Action, AuditEntry
from glas.domain.ledger import Transaction
from glas.domain.messages import Transcription

router = APIRouter()

Before = Annotated[
    RowId | None,
    Query(
        description="Cursor of the previous page. Only items with smaller numbers are returned. Without it, the "
        "first page is returned."
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ON_PAGE)]


@router.get("/users/{tg_id}/holding")
async def held(request: Request, tg_id: PersonPath) -> Holding:
    """Return the profile of a person, the consents, and the numbers of stored recordings, corrections and words."""
    async with database(request).reading() as session:
        return await holding.holding(tg_id, session=session)


@router.get("/users/{tg_id}/messages")
async def messages(
    request: Request, tg_id: PersonPath, before: Before = None, limit: Limit = 50
) -> Page[Transcription]:
    """Return a person's messages, the newest first, page by page."""
    async with database(request).reading() as session:
        return await holding.messages_of(tg_id, before, limit, session=session)


@router.get("/users/{tg_id}/ledger")
async def ledger(request: Request, tg_id: PersonPath, before: Before = None, limit: Limit = 50) -> Page[Transaction]:
    """Return a person's ledger entries, the newest first, page by page."""
    async with database(request).reading() as session:
        return await holding.entries_of(tg_id, before, limit, session=session)


@router.get("/transcriptions/{transcription_id}/transactions")
async def paid(request: Request, transcription_id: RowPath) -> tuple[Transaction, ...]:
    """Return the payments for a message (to its speaker and to reviewers)."""
    async with database(request).reading() as session:
        return await holding.entries_about(transcription_id, session=session)


@router.get("/people")
async def find_people(
    request: Request,
    number: Annotated[
        RowId | None,
        Query(
            description="Telegram's id of a person, or the number of the person's row, or the number of one of the "
            "person's messages. Without it, all people are returned."
        ),
    ] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Page[PersonSummary]:
    """Return people, the newest first, page by page."""
    async with database(request).reading() as session:
        return await holding.people_page(number, before, limit, session=session)


@router.get("/audit")
async def entries(
    request: Request,
    before: Before = None,
    limit: Limit = 50,
    tg_id: Annotated[
        TgId | None,
        Query(
            description="Telegram's id of a person. Only actions that concern this person are returned. Without it, "
            "all actions are returned."
        ),
    ] = None,
) -> Page[AuditEntry]:
    """Return the actions of administrators, the newest first, page by page."""
    async with database(request).reading() as session:
        return await audit.page(before, limit, tg_id, session=session)


@router.post("/audit/readings")
async def read_message(request: Request, reading: Reading) -> Transcription:
    """Return a person's message to an administrator, and record in the audit who has opened it."""
    async with database(request).writing() as session:
        user = await people.load(reading.tg_id, session=session)
        message = await holding.message_of(user.id, reading.transcription_id, session=session)
        await audit.read_message(reading.by, user, message.id, session=session)
        return message


@router.post("/audit/reports")
async def read_report(request: Request, reading: ReportReading) -> None:
    """Record in the audit that an administrator opens the gate's report about a model."""
    async with database(request).writing() as session:
        model = await model_records.find(reading.model_id, session=session)
        what = {"model": f"{model.name.rpartition('/')[2]}@{model.version}"}
        await audit.write(reading.by, Action.READ_REPORT, subject=None, after=what, session=session)


@router.get("/work-to-forget")
async def work_to_forget(request: Request) -> WorkToForget:
    """Return the people whose records of durable work the bot must delete."""
    async with database(request).reading() as session:
        return await forgetting.waiting(session=session)


@router.delete("/work-to-forget/{tg_id}")
async def work_forgotten(request: Request, tg_id: PersonPath) -> None:
    """Store that the bot has deleted its records of a person's durable work."""
    async with database(request).writing() as session:
        await forgetting.done(tg_id, session=session)
