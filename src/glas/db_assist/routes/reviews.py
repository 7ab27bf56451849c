"""Routes about reviews."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from glas.clients.bodies import TgId
from glas.clients.db_assist_bodies import ReviewerChoice
from glas.clients.review_bodies import Review, ReviewerFigures, ReviewItem, ReviewRequest, ReviewResult
from glas.db_assist import people, review_figures, review_queue, review_undo, reviews
from glas.db_assist.routes import Administrator, PersonPath, RowPath, database, review_choices, rules
from glas.domain.people import User

router = APIRouter()


@router.put("/users/{tg_id}/reviewer")
async def set_reviewer(request: Request, tg_id: PersonPath, choice: ReviewerChoice, by: Administrator = None) -> User:
    """Set whether a person may review messages."""
    async with database(request).writing() as session:
        row = await reviews.set_reviewer(tg_id, is_reviewer=choice.is_reviewer, by=by, session=session)
        return people.as_user(row)


@router.post("/reviews/next")
async def take(request: Request, wanted: ReviewRequest) -> ReviewItem | None:
    """Return the message that is held for a reviewer, or hold the next message; return null if no message waits."""
    settings = rules(request)
    async with database(request).writing() as session:
        item = await review_queue.held(wanted.tg_id, wanted.besides, settings=settings, session=session)
    if item is not None:
        return item
    async with database(request).reading() as session:
        chosen = await review_choices(request).choose(wanted.tg_id, settings=settings, session=session)
    async with database(request).writing() as session:
        return await review_queue.hold(wanted.tg_id, chosen, wanted.besides, settings=settings, session=session)


@router.get("/users/{tg_id}/reviews/held")
async def held(request: Request, tg_id: PersonPath) -> tuple[ReviewItem, ...]:
    """Return the messages that are held for a reviewer."""
    async with database(request).reading() as session:
        return await review_queue.list_held(tg_id, session=session)


@router.put("/transcriptions/{transcription_id}/review")
async def answer(request: Request, transcription_id: RowPath, review: Review) -> ReviewResult:
    """Store a review of a message, and pay the people who gave the same words independently."""
    async with database(request).writing() as session:
        return await reviews.answer(transcription_id, review, settings=rules(request), session=session)


@router.delete("/transcriptions/{transcription_id}/review")
async def take_back(request: Request, transcription_id: RowPath, tg_id: Annotated[TgId, Query()]) -> ReviewItem:
    """Delete a reviewer's last review, and hold the reviewed message for the reviewer again."""
    async with database(request).writing() as session:
        return await review_undo.take_back(transcription_id, tg_id, settings=rules(request), session=session)


@router.get("/users/{tg_id}/reviews/figures")
async def figures(
    request: Request, tg_id: PersonPath, since: Annotated[AwareDatetime | None, Query()] = None
) -> ReviewerFigures:
    """Return the number of a reviewer's reviews, how often other people agreed with them, and the coins for them."""
    async with database(request).reading() as session:
        return await review_figures.figures_of(tg_id, since, session=session)
