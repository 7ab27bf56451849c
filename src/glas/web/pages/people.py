"""Pages for administrators: find a person, see their data, change their rights, delete their data."""

import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from fastapi import Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from glas.clients.bodies import RowId, TgId
from glas.clients.erasure import clean_export, erase_person
from glas.domain.errors import ConflictError, InvalidParameterError
from glas.domain.people import Role
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages import audited, people_messages, written
from glas.web.pages.amounts import coins
from glas.web.site import Site, site_of

router = page_router(Right.ADMINISTRATOR)
PAGE = Page("/people", "page-people", "page-people-about", Right.ADMINISTRATOR, router)

ON_PAGE: Final = 50
_MOST_DIGITS: Final = 18
_LAST: Final = 10

_MOST_DAYS: Final = 3660
_KEY: Final = "^[0-9a-f]{16}$"
BAN_DAYS: Final = (0, 1, 7, 30, 365)
"""Numbers of days for which an administrator may ban a person; 0 means that the ban has no end."""

Reason = Annotated[str, Form(max_length=500)]
Amount = Annotated[str, Form(pattern=r"^\s*[-−]?[0-9]{1,6}([.,][0-9]{1,2})?\s*$")]
Before = Annotated[RowId | None, Query()]
Person = Annotated[TgId, Path()]


@router.get("/people")
async def people(
    request: Request, visit: Visit, q: Annotated[str, Query(max_length=100)] = "", before: Before = None
) -> Response:
    """Show a list of people, the newest first; if `q` is a number, show only the people whom this number identifies.

    A number identifies a person if it is the person's Telegram id, the id of the person's row, or the id of one of the
    person's messages.
    """
    site, wanted = site_of(request), q.strip()
    is_number = wanted.isascii() and wanted.isdecimal() and 0 < len(wanted) <= _MOST_DIGITS and int(wanted) > 0
    found = None
    if not wanted or is_number:
        number = int(wanted) if wanted else None
        found = await site.services.db_assist.people(number, before=before, limit=ON_PAGE)
    return site.frame.page(
        request, visit, "people.html", found=found, wanted=wanted, is_first=before is None, written=written, coins=coins
    )


@router.get("/people/{tg_id}")
async def person(request: Request, visit: Visit, tg_id: Person, before: Before = None) -> Response:
    """Show data about a person: rights, limits, consents, messages without their texts, payments, audit."""
    site = site_of(request)
    db_assist = site.services.db_assist
    return site.frame.page(
        request,
        visit,
        "person.html",
        held=await db_assist.holding(tg_id),
        messages=await db_assist.messages_of(tg_id, before=before, limit=ON_PAGE),
        entries=await db_assist.ledger_of(tg_id, limit=_LAST),
        audit=await db_assist.audit(tg_id=tg_id, limit=_LAST),
        is_first=before is None,
        is_protected=_is_protected(tg_id, site),
        ban_days=BAN_DAYS,
        key=secrets.token_hex(8),
        roles=(Role.USER, Role.BETA_TESTER, Role.UNLIMITED),
        written=written,
        audited=audited,
        coins=coins,
    )


@router.post("/people/{tg_id}/role")
async def set_role(request: Request, visit: Visit, tg_id: Person, role: Annotated[Role, Form()]) -> Response:
    """Store the role of a person; the role of an administrator can be given only in the settings."""
    _refuse_protected(tg_id, site_of(request))
    if role is Role.ADMIN:
        raise ConflictError("expected a role other than the administrators'", param="role")
    await site_of(request).services.db_assist.set_role(tg_id, role, by=visit.person)
    return _back(request, tg_id)


@router.post("/people/{tg_id}/reviewer")
async def set_reviewer(request: Request, visit: Visit, tg_id: Person, is_reviewer: Annotated[bool, Form()]) -> Response:
    """Store whether a person may review messages."""
    await site_of(request).services.db_assist.set_reviewer(tg_id, is_reviewer=is_reviewer, by=visit.person)
    return _back(request, tg_id)


@router.post("/people/{tg_id}/ban")
async def set_ban(
    request: Request,
    visit: Visit,
    tg_id: Person,
    *,
    is_banned: Annotated[bool, Form()],
    days: Annotated[int, Form(ge=0, le=_MOST_DAYS)] = 0,
    reason: Reason = "",
) -> Response:
    """Ban a person for some days or without an end, or lift the ban."""
    _refuse_protected(tg_id, site_of(request))
    db_assist = site_of(request).services.db_assist
    if is_banned:
        until = datetime.now(UTC) + timedelta(days=days) if days else None
        await db_assist.ban(tg_id, by=visit.person, reason=reason.strip() or None, until=until)
    else:
        await db_assist.unban(tg_id, by=visit.person)
    return _back(request, tg_id)


@router.post("/people/{tg_id}/grant")
async def grant(
    request: Request,
    visit: Visit,
    tg_id: Person,
    *,
    amount: Amount,
    reason: Reason,
    key: Annotated[str, Form(pattern=_KEY)],
) -> Response:
    """Give coins to a person, or take coins from the person.

    The form contains a random key. If the same form is sent twice, both requests have the same key, so the coins are
    given only once.
    """
    hundredths = int(Decimal(amount.strip().replace(",", ".").replace("−", "-")).scaleb(2))
    if hundredths == 0 or not reason.strip():
        raise InvalidParameterError("expected an amount other than 0, and a reason", param="amount")
    await site_of(request).services.db_assist.grant(
        visit.person, tg_id, hundredths, reason=reason.strip(), key=f"page:{key}"
    )
    return _back(request, tg_id)


@router.post("/people/{tg_id}/forget")
async def forget(request: Request, visit: Visit, tg_id: Person, typed: Annotated[str, Form(max_length=50)]) -> Response:
    """Delete a person's data, as the person's own /forget does.

    To confirm the deletion, the administrator must type the Telegram id of the person.
    """
    site = site_of(request)
    _refuse_protected(tg_id, site)
    if typed.strip() != str(tg_id):
        return RedirectResponse(f"/people/{tg_id}#forget", 303)
    await erase_person(tg_id, site.services.db_assist, site.services.data_loader, by=visit.person)
    await clean_export(site.services.data_loader)
    _expire(tg_id, site)
    return RedirectResponse("/people", 303)


def _is_protected(tg_id: int, site: Site) -> bool:
    return tg_id in site.admins


def _refuse_protected(tg_id: int, site: Site) -> None:
    if _is_protected(tg_id, site):
        raise ConflictError("expected somebody who is no administrator", param="tg_id")


def _back(request: Request, tg_id: int) -> Response:
    _expire(tg_id, site_of(request))
    return RedirectResponse(f"/people/{tg_id}", 303)


def _expire(tg_id: int, site: Site) -> None:
    """Remove a person from the cache of people, so that changed rights apply at once."""
    if site.visitors.people is not None:
        site.visitors.people.expire(tg_id)


router.include_router(people_messages.router)
