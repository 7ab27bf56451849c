"""Pages to sign in with a link from the bot, to sign out, and to choose the language.

Telegram itself opens each link in a message to show a preview, so a link must stay valid after it was opened. The
opened page shows a button. When a person presses the button, the person is signed in, and the link becomes invalid.
"""

from typing import Annotated, Final

from fastapi import Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from glas.clients.login_bodies import LOGIN_MINUTES
from glas.domain.errors import ForbiddenError, NotFoundError
from glas.domain.people import Locale
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.access.visitors import Visitor
from glas.web.frame import page_router
from glas.web.site import site_of

_HOME: Final = "/home"
_TOO_MANY: Final = 429

open_router = page_router(None)
own_router = page_router(Right.SIGNED_IN)


@open_router.get("/sign-in")
async def explain(request: Request, visit: Visit) -> Response:
    """Explain how to get a link for signing in; redirect people who are already signed in to the home page."""
    if visit.session is not None:
        return RedirectResponse(_HOME, 303)
    return _page(request, visit)


@open_router.get("/sign-in/{token}")
async def confirm(request: Request, visit: Visit, token: Annotated[str, Path(max_length=128)]) -> Response:
    """Show the button for signing in; the link is checked only when the button is pressed."""
    return _page(request, visit, token=token)


@open_router.post("/sign-in")
async def sign_in(request: Request, visit: Visit, token: Annotated[str, Form()]) -> Response:
    """Sign a person in with the token of a link: make the link invalid, and begin a session."""
    site = site_of(request)
    if site.given is None:
        return _page(request, visit)
    address = "" if request.client is None else request.client.host
    if wait_s := site.failed_links.wait_s(address):
        answer = _page(request, visit, problem=visit.say("sign-in-too-often"), status=_TOO_MANY)
        answer.headers["Retry-After"] = str(round(wait_s))
        return answer
    try:
        user = await site.given.db_assist.redeem_login(token)
        is_in = site.visitors.begin(visit, user)
    except (NotFoundError, ForbiddenError):
        is_in = False
    if is_in:
        return RedirectResponse(_HOME, 303)
    site.failed_links.count(address)
    return _page(request, visit, problem=visit.say("sign-in-stale"), status=403)


@own_router.post("/sign-out")
async def sign_out(request: Request, visit: Visit) -> Response:
    """End the session of the visitor."""
    site_of(request).visitors.end(visit)
    return RedirectResponse("/sign-in", 303)


@own_router.post("/language")
async def choose_language(request: Request, visit: Visit, language: Annotated[Locale, Form()]) -> Response:
    """Store the person's language, in which the web pages and the bot write to the person."""
    site = site_of(request)
    await site.services.db_assist.set_locale(visit.person, language)
    if site.visitors.people is not None:
        site.visitors.people.expire(visit.person)
    return RedirectResponse(_HOME, 303)


def _page(request: Request, visit: Visitor, *, token: str = "", problem: str = "", status: int = 200) -> Response:
    site = site_of(request)
    return site.frame.page(
        request,
        visit,
        "sign_in.html",
        status=status,
        token=token,
        problem=problem,
        is_possible=site.given is not None,
        minutes=LOGIN_MINUTES,
    )
