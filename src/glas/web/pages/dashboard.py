"""The dashboard: a page for administrators with numbers about use, quality, speed, payments and failures."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Query, Request, Response

from glas.clients.dashboard import Dashboard
from glas.clients.data_loader import DataLoaderClient
from glas.clients.data_loader_bodies import ExportState
from glas.clients.nn_service import NnServiceClient
from glas.clients.recognition_figures import QUERIES, RecognitionFigures
from glas.domain.errors import GlasError
from glas.localisation import Catalogue
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages import dashboard_quality, dashboard_work, written
from glas.web.pages.dashboard_cards import Card, as_moment
from glas.web.site import site_of

router = page_router(Right.ADMINISTRATOR)
PAGE = Page("/dashboard", "page-dashboard", "page-dashboard-about", Right.ADMINISTRATOR, router)

MOST_AGE_S: Final = 30.0
_DATABASES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

_CARDS: Final[tuple[Callable[[Dashboard, Catalogue], Card], ...]] = (
    dashboard_work.days,
    dashboard_quality.errors_of_versions,
    dashboard_quality.scores,
    dashboard_quality.reliability,
    dashboard_quality.second_texts,
    dashboard_work.training,
    dashboard_work.coins,
    dashboard_work.errors,
)


@router.get("/dashboard")
async def dashboard(request: Request, visit: Visit, *, fresh: Annotated[bool, Query()] = False) -> Response:
    """Show all figures; if db_assist or nn_service does not answer, show a message instead of its figures.

    Figures of the database may be up to `MOST_AGE_S` seconds old. If `fresh` is true, the figures are computed anew.
    The page shows when the figures were computed.
    """
    site = site_of(request)
    services = site.services
    found = await services.db_assist.dashboard(most_age_s=0 if fresh else MOST_AGE_S)
    waiting = found.figures["waiting"]
    (waits,) = waiting.records()
    return site.frame.page(
        request,
        visit,
        "dashboard.html",
        cards=[card(found, visit.say) for card in _CARDS],
        n_waiting=waits["messages"],
        oldest=as_moment(waits["oldest"]),
        waiting_sql=waiting.sql,
        recognition=await _recognition(services.nn_service),
        recognition_queries=QUERIES,
        export=await _export(services.data_loader),
        database=_DATABASES.get(found.database, found.database),
        counted=found.counted_datetime,
        written=written,
    )


async def _recognition(nn_service: NnServiceClient | None) -> RecognitionFigures | None:
    try:
        return None if nn_service is None else await nn_service.figures()
    except GlasError:
        return None


async def _export(data_loader: DataLoaderClient) -> ExportState | None:
    try:
        return await data_loader.export_state()
    except GlasError:
        return None
