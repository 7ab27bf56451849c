"""Routes about models that the gate has judged, and about announcements."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from glas.clients.learning_bodies import RoundName, RoundRecord, StepEntry
from glas.clients.model_record_bodies import (
    Announcement,
    ChoiceRequest,
    ClaimRequest,
    DecisionRequest,
    DecisionResult,
    ModelEntry,
    ModelRecord,
    NewsChoice,
    OutcomeRequest,
    QuestionRequest,
)
from glas.db_assist import announcements, learning, model_records
from glas.db_assist.routes import PersonPath, RowPath, database
from glas.domain.model_records import LearningStep, ModelState
from glas.domain.people import User

router = APIRouter()


@router.put("/models")
async def record(request: Request, entry: ModelEntry) -> ModelRecord:
    """Store a model that the gate has judged, the verdict of the gate, and the decision about the model."""
    async with database(request).writing() as session:
        return await model_records.record(entry, session=session)


@router.get("/models")
async def models(
    request: Request,
    state: Annotated[ModelState | None, Query()] = None,
    name: Annotated[str | None, Query(max_length=512)] = None,
    version: Annotated[str | None, Query(max_length=64)] = None,
) -> tuple[ModelRecord, ...]:
    """List the models that the gate has judged, the newest first."""
    async with database(request).reading() as session:
        return await model_records.all_models(state=state, name=name, version=version, session=session)


@router.post("/models/{model_id}/decisions")
async def decide(request: Request, model_id: RowPath, wanted: DecisionRequest) -> DecisionResult:
    """Change the state of a model, and return the model and the present champion."""
    async with database(request).writing() as session:
        return await model_records.decide(model_id, wanted, session=session)


@router.put("/champion")
async def choose(request: Request, wanted: ChoiceRequest) -> DecisionResult:
    """Store that a person chose a model as the champion. It is not necessary that the gate has judged the model."""
    async with database(request).writing() as session:
        return await model_records.choose(wanted, session=session)


@router.put("/models/{model_id}/questions")
async def ask(request: Request, model_id: RowPath, wanted: QuestionRequest) -> tuple[Announcement, ...]:
    """Store questions about a candidate, which the bot must send to administrators."""
    async with database(request).writing() as session:
        return await announcements.ask(model_id, wanted, session=session)


@router.put("/rounds/{name}/steps/{step}")
async def record_step(
    request: Request, name: Annotated[RoundName, Path()], step: LearningStep, entry: StepEntry
) -> None:
    """Record that a step of a round of learning has begun or finished."""
    async with database(request).writing() as session:
        await learning.record(name, step, entry, session=session)


@router.get("/rounds")
async def rounds(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> tuple[RoundRecord, ...]:
    """List the last rounds of learning with their steps, the newest first."""
    async with database(request).reading() as session:
        return await learning.rounds(limit, session=session)


@router.get("/announcements")
async def waiting(request: Request, bot_id: Annotated[int, Query(ge=1)]) -> tuple[Announcement, ...]:
    """Return the announcements that a bot must send."""
    async with database(request).reading() as session:
        return await announcements.waiting(bot_id, session=session)


@router.post("/announcements/{announcement_id}/claim")
async def claim(request: Request, announcement_id: RowPath, wanted: ClaimRequest) -> Announcement | None:
    """Reserve an announcement for one process of the bot; return null if the announcement must not be sent any more."""
    async with database(request).writing() as session:
        return await announcements.claim(announcement_id, wanted.claim, session=session)


@router.put("/announcements/{announcement_id}/outcome")
async def end(request: Request, announcement_id: RowPath, wanted: OutcomeRequest) -> None:
    """Store the outcome of sending an announcement."""
    async with database(request).writing() as session:
        await announcements.end(announcement_id, wanted, session=session)


@router.put("/users/{tg_id}/news")
async def want_news(request: Request, tg_id: PersonPath, choice: NewsChoice) -> User:
    """Store whether a person wants news about models that learnt from them."""
    async with database(request).writing() as session:
        return await announcements.set_wanted(tg_id, wanted=choice.wanted, session=session)
