"""Routes about coins, about the ratings of a model, and about the numbers of people, messages and ratings."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from glas.clients.bodies import Name
from glas.clients.db_assist_bodies import Grant, LedgerCheck, Statistics
from glas.clients.rating_calls import ModelRatings
from glas.db_assist import coins, ledger, people
from glas.db_assist.routes import PersonPath, database
from glas.domain.ledger import Transaction
from glas.domain.model_ref import ModelRef
from glas.domain.people import User

router = APIRouter()


@router.get("/users/{tg_id}/transactions")
async def transactions(
    request: Request,
    tg_id: PersonPath,
    since: Annotated[AwareDatetime | None, Query()] = None,
    until: Annotated[AwareDatetime | None, Query()] = None,
) -> tuple[Transaction, ...]:
    """Return a person's ledger entries within a range of dates."""
    async with database(request).reading() as session:
        user = await people.load(tg_id, session=session)
        return await ledger.transactions_of(user.id, since=since, until=until, session=session)


@router.post("/users/{tg_id}/grants")
async def grant(request: Request, tg_id: PersonPath, wanted: Grant) -> User:
    """Give coins to a person, or take coins from a person; in the second case the amount is negative."""
    async with database(request).writing() as session:
        await coins.grant(tg_id, wanted, session=session)
        return await people.find(tg_id, session=session)


@router.get("/ledger/check")
async def check(request: Request) -> LedgerCheck:
    """Check for each person whether their cash is equal to the sum of their ledger entries."""
    async with database(request).reading() as session:
        return await ledger.check(session=session)


@router.get("/ratings")
async def ratings(
    request: Request,
    model: Annotated[Name, Query()],
    model_version: Annotated[Name, Query(max_length=64)],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> ModelRatings:
    """Return the last ratings of texts that a version of a model recognised, the oldest first."""
    wanted = ModelRef(name=model, version=model_version)
    async with database(request).reading() as session:
        return await ledger.ratings_of(wanted, limit=limit, session=session)


@router.get("/statistics")
async def statistics(request: Request) -> Statistics:
    """Count people, messages, ratings, corrections and payments, for administrators."""
    async with database(request).reading() as session:
        return await ledger.statistics(session=session)
