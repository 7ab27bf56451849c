"""Show a person's message to administrators; the audit records each administrator who opens a message."""

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import RedirectResponse, Response

from glas.clients.bodies import RowId, TgId
from glas.clients.erasure import clean_export, erase_message
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import page_router
from glas.web.pages import written
from glas.web.site import site_of
from glas.web.sounds import sound_of

router = page_router(Right.ADMINISTRATOR)

Person = Annotated[TgId, Path()]
Number = Annotated[RowId, Path()]


@router.get("/people/{tg_id}/messages/{number}")
async def message(request: Request, visit: Visit, tg_id: Person, number: Number) -> Response:
    """Show a message: sound, segments, version of the model, text of a second model, corrections, payments."""
    site = site_of(request)
    db_assist, data_loader = site.services.db_assist, site.services.data_loader
    found = await db_assist.read_message(number, tg_id, by=visit.person)
    kept = await data_loader.fetch_recognition(number)
    return site.frame.page(
        request,
        visit,
        "person_message.html",
        tg_id=tg_id,
        message=found,
        kept=kept,
        segments=() if kept is None else kept.recognition.hypothesis.segments,
        second=await db_assist.second_hypothesis(number),
        history=await db_assist.correction_history(number),
        entries=await db_assist.paid_for(number),
        written=written,
    )


@router.get("/people/{tg_id}/messages/{number}/sound")
async def sound(request: Request, visit: Visit, tg_id: Person, number: Number) -> Response:
    """Send the sound of a person's message."""
    services = site_of(request).services
    found = await services.db_assist.read_message(number, tg_id, by=visit.person)
    return await sound_of(request, found, services.data_loader)


@router.post("/people/{tg_id}/messages/{number}/delete")
async def delete(request: Request, visit: Visit, tg_id: Person, number: Number) -> Response:
    """Delete a message of a person."""
    services = site_of(request).services
    await erase_message(number, tg_id, services.db_assist, services.data_loader, by=visit.person)
    await clean_export(services.data_loader)
    return RedirectResponse(f"/people/{tg_id}", 303)
