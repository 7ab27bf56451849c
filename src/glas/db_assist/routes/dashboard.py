"""The route of the dashboard."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from glas.clients.dashboard import Dashboard
from glas.db_assist.routes import database, kept_figures

router = APIRouter()


@router.get("/dashboard/figures")
async def figures(
    request: Request,
    most_age_s: Annotated[
        float,
        Query(
            ge=0,
            description="Greatest permitted age of the stored figures, in seconds. If they are older, they are "
            "computed again. 0 means that they are always computed again.",
        ),
    ] = 0,
) -> Dashboard:
    """Return the figures of the dashboard, each with the SQL statement that computed it."""
    return await kept_figures(request).figures(database(request), most_age_s)
