"""The page that shows the audit to administrators. Entries cannot be changed on this page."""

from typing import Annotated, Final

from fastapi import Query, Request, Response

from glas.clients.bodies import RowId, TgId
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages import audited, written
from glas.web.site import site_of

router = page_router(Right.ADMINISTRATOR)
PAGE = Page("/audit", "page-audit", "page-audit-about", Right.ADMINISTRATOR, router)

ON_PAGE: Final = 100


@router.get("/audit")
async def audit(
    request: Request,
    visit: Visit,
    before: Annotated[RowId | None, Query()] = None,
    about: Annotated[TgId | None, Query()] = None,
) -> Response:
    """Show the entries of the audit, the newest first; with `about` (a Telegram id), only entries about this person."""
    site = site_of(request)
    entries = await site.services.db_assist.audit(before=before, limit=ON_PAGE, tg_id=about)
    path = "/audit" if about is None else f"/audit?about={about}"
    return site.frame.page(
        request,
        visit,
        "audit.html",
        entries=entries,
        about=about,
        here=path,
        is_first=before is None,
        written=written,
        audited=audited,
    )
