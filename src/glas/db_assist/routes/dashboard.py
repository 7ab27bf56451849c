"""The route of the dashboard."""

from fastapi import APIRouter, Request

from glas.clients.dashboard import Dashboard
from glas.db_assist import dashboard
from glas.db_assist.routes import database

router = APIRouter()


@router.get("/dashboard/figures")
async def figures(request: Request) -> Dashboard:
    """Count the figures of the dashboard; each comes with the statement that gave it."""
    counted: dashboard.CountedErrors = request.app.state.counted_errors
    async with database(request).reading() as session:
        return await dashboard.figures(counted, session=session)
