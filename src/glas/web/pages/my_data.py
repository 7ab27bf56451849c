"""The web pages on which people see, download and delete the data that is stored about them."""

from typing import Annotated, Final

from fastapi import Form, Query, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from glas.clients.bodies import RowId
from glas.clients.erasure import clean_export, erase_person
from glas.clients.packing import streamed
from glas.domain.people import CONSENT_VERSION, Purpose
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.access.visitors import Visitor
from glas.web.frame import Page, page_router
from glas.web.pages import my_messages, written
from glas.web.pages.amounts import coins
from glas.web.site import site_of

router = page_router(Right.SIGNED_IN)
PAGE = Page("/data", "page-data", "page-data-about", Right.SIGNED_IN, router)

ON_PAGE: Final = 50
Before = Annotated[RowId | None, Query()]


@router.get("/data")
async def overview(request: Request, visit: Visit, before: Before = None) -> Response:
    """Show how much data is stored about the visitor, and a list of their messages, the newest first."""
    db_assist = site_of(request).services.db_assist
    held = await db_assist.holding(visit.person)
    messages = await db_assist.messages_of(visit.person, before=before, limit=ON_PAGE)
    language = visit.say.language
    return site_of(request).frame.page(
        request,
        visit,
        "my_data.html",
        held=held,
        messages=messages,
        is_first=before is None,
        balance=coins(held.user.cash_hundredths, language),
        agrees=Purpose.TRAINING in held.user.consents,
        written=written,
    )


@router.post("/data/consent")
async def decide(request: Request, visit: Visit, granted: Annotated[bool, Form()]) -> Response:
    """Store that the visitor gives or withdraws the consent to training."""
    site = site_of(request)
    await site.services.db_assist.set_consent(
        visit.person, Purpose.TRAINING, granted=granted, text_version=CONSENT_VERSION
    )
    if not granted:
        await clean_export(site.services.data_loader)
    _look_up_anew(request, visit)
    return RedirectResponse("/data", 303)


@router.get("/data/coins")
async def ledger(request: Request, visit: Visit, before: Before = None) -> Response:
    """Show the payments of coins to the visitor, the newest first."""
    site = site_of(request)
    entries = await site.services.db_assist.ledger_of(visit.person, before=before, limit=ON_PAGE)
    balance = coins(0 if visit.user is None else visit.user.cash_hundredths, visit.say.language)
    return site.frame.page(
        request, visit, "my_coins.html", entries=entries, is_first=before is None, balance=balance, written=written
    )


@router.get("/data/download")
async def download(request: Request, visit: Visit) -> Response:
    """Send all data about the visitor in one zip file, as the bot's /mydata does."""
    services = site_of(request).services
    data = await services.db_assist.export_user(visit.person)
    return StreamingResponse(
        streamed(data, services.data_loader),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="glas.zip"'},
    )


@router.get("/data/forget")
async def ask_to_forget(request: Request, visit: Visit) -> Response:
    """Ask the visitor to type a word that confirms the deletion of all their data."""
    return _confirmation(request, visit)


@router.post("/data/forget")
async def forget(request: Request, visit: Visit, word: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Delete all data about the visitor, as the bot's /forget does, and end the session."""
    if word.strip().casefold() != visit.say("data-forget-word"):
        return _confirmation(request, visit, is_wrong=True)
    site = site_of(request)
    count = await erase_person(visit.person, site.services.db_assist, site.services.data_loader)
    await clean_export(site.services.data_loader)
    _look_up_anew(request, visit)
    site.visitors.end(visit)
    stranger = Visitor(None, None, frozenset(), visit.say)
    return site.frame.page(request, stranger, "my_data_gone.html", count=count)


def _confirmation(request: Request, visit: Visitor, *, is_wrong: bool = False) -> Response:
    word = visit.say("data-forget-word")
    status = 422 if is_wrong else 200
    return site_of(request).frame.page(
        request, visit, "my_data_forget.html", status=status, word=word, is_wrong=is_wrong
    )


def _look_up_anew(request: Request, visit: Visitor) -> None:
    people = site_of(request).visitors.people
    if people is not None:
        people.expire(visit.person)


router.include_router(my_messages.router)
