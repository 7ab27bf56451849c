"""The web page on which people listen to one of their messages, and correct, rate or delete it."""

from typing import Annotated, Literal

from fastapi import Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from glas.clients.bodies import RowId
from glas.clients.erasure import clean_export, erase_message
from glas.domain.errors import ImplausibleCorrectionError, NotFoundError
from glas.domain.messages import Score, Status, Transcription
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.access.visitors import Visitor
from glas.web.frame import page_router
from glas.web.pages import written
from glas.web.site import site_of
from glas.web.sounds import sound_of

router = page_router(Right.SIGNED_IN)

Number = Annotated[RowId, Path()]


@router.get("/data/messages/{number}")
async def message(request: Request, visit: Visit, number: Number) -> Response:
    """Show one message of the visitor, with the history of its text."""
    return await _page(request, visit, await _mine(request, visit, number))


@router.get("/data/messages/{number}/sound")
async def sound(request: Request, visit: Visit, number: Number) -> Response:
    """Send the sound of a message of the visitor."""
    mine = await _mine(request, visit, number)
    return await sound_of(request, mine, site_of(request).services.data_loader)


@router.post("/data/messages/{number}/correction")
async def correct(
    request: Request,
    visit: Visit,
    number: Number,
    reference: Annotated[str, Form(max_length=100_000)] = "",
    insists: Annotated[Literal["yes", "no"], Form()] = "no",
) -> Response:
    """Correct the words of a message of the visitor; if the correction is doubtful, ask for a confirmation."""
    mine = await _mine(request, visit, number)
    if reference.split() == mine.shown_text.split():
        return await _page(request, visit, mine, said="data-same")
    try:
        result = await site_of(request).services.db_assist.correct(
            number, visit.person, reference, is_confirmed=insists == "yes", lets_bot_show=True
        )
    except ImplausibleCorrectionError as error:
        return await _page(request, visit, mine, problem=visit.say.error(error.code), draft=reference, status=422)
    _expire(request, visit)
    if not result.is_applied:
        return await _page(request, visit, mine, doubtful=reference, draft=reference)
    return _back(number)


@router.post("/data/messages/{number}/take-back")
async def take_back(request: Request, visit: Visit, number: Number, change: Annotated[RowId, Form()]) -> Response:
    """Undo the last correction of a message of the visitor."""
    await site_of(request).services.db_assist.take_back(number, visit.person, change, lets_bot_show=True)
    return _back(number)


@router.post("/data/messages/{number}/rating")
async def rate(request: Request, visit: Visit, number: Number, score: Annotated[Score, Form()]) -> Response:
    """Store the visitor's rating of the text of their message."""
    await site_of(request).services.db_assist.rate(number, visit.person, score)
    _expire(request, visit)
    return _back(number)


@router.post("/data/messages/{number}/delete")
async def delete(request: Request, visit: Visit, number: Number) -> Response:
    """Delete the recording, the text and the corrections of a message of the visitor.

    The visitor keeps the coins that were paid for the message.
    """
    services = site_of(request).services
    await erase_message(number, visit.person, services.db_assist, services.data_loader)
    await clean_export(services.data_loader)
    return RedirectResponse("/data", 303)


async def _mine(request: Request, visit: Visitor, number: int) -> Transcription:
    """Return a message if it belongs to the visitor.

    Raises:
        NotFoundError: there is no such message, or it belongs to another person. The error is the same in both cases.
    """
    found = await site_of(request).services.db_assist.transcription(number)
    if visit.user is None or found.user_id != visit.user.id:
        raise NotFoundError("expected a message of this person")
    return found


async def _page(
    request: Request,
    visit: Visitor,
    mine: Transcription,
    *,
    said: str = "",
    problem: str = "",
    doubtful: str = "",
    draft: str | None = None,
    status: int = 200,
) -> Response:
    site = site_of(request)
    history = await site.services.db_assist.correction_history(mine.id)
    applied = [change for change in history if change.is_applied]
    last = applied[-1] if applied and applied[-1].takes_back is None else None
    return site.frame.page(
        request,
        visit,
        "my_message.html",
        status=status,
        message=mine,
        history=history,
        undoable=last if last is not None and last.user_id == mine.user_id else None,
        is_done=mine.status is Status.DONE,
        said=said,
        problem=problem,
        doubtful=doubtful,
        draft=mine.shown_text if draft is None else draft,
        written=written,
    )


def _back(number: int) -> Response:
    return RedirectResponse(f"/data/messages/{number}", 303)


def _expire(request: Request, visit: Visitor) -> None:
    """Remove the visitor from the cache of people, because a payment may have changed the visitor's balance."""
    people = site_of(request).visitors.people
    if people is not None:
        people.expire(visit.person)
