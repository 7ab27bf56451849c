"""Routes about links for signing in to the web pages."""

from fastapi import APIRouter, Request

from glas.clients.login_bodies import LoginToken
from glas.db_assist import logins
from glas.db_assist.routes import PersonPath, database
from glas.domain.people import User

router = APIRouter()


@router.put("/users/{tg_id}/login")
async def offer(request: Request, tg_id: PersonPath, token: LoginToken) -> None:
    """Store the hash of a token with which a person can sign in once."""
    async with database(request).writing() as session:
        await logins.offer(tg_id, token.token_sha256, session=session)


@router.post("/logins/redeem")
async def redeem(request: Request, token: LoginToken) -> User:
    """Mark a token as used, and return the person for whom it was stored."""
    async with database(request).writing() as session:
        return await logins.redeem(token.token_sha256, session=session)
