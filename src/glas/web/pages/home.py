"""The first page after sign-in: the list of pages that a person may open."""

from fastapi import Request, Response

from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages.amounts import coins
from glas.web.site import site_of

router = page_router(Right.SIGNED_IN)
PAGE = Page("/home", "page-home", "page-home-about", Right.SIGNED_IN, router)


@router.get("/home")
async def home(request: Request, visit: Visit) -> Response:
    """Show the pages that the person may open, and the person's balance and role."""
    user = visit.user
    cash = 0 if user is None else user.cash_hundredths
    role = 0 if user is None else user.role.value
    say = visit.say
    return site_of(request).frame.page(
        request,
        visit,
        "home.html",
        balance=coins(cash, say.language),
        role=say(f"role-{role}"),
    )
