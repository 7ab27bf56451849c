"""Show administrators the models that the gate has judged, and let the administrators choose the champion.

A decision has two steps: db_assist stores the decision, and then the chosen model becomes the default model of
nn_service. If nn_service cannot load the model, the stored decision is taken back. If this process is killed between
the two steps, the page shows that the default model of nn_service is not the champion. The page then has a button that
repeats the second step.
"""

import secrets
from typing import Annotated, Final

from fastapi import Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from glas.clients.bodies import RowId
from glas.clients.model_record_bodies import DecisionRequest, ModelRecord
from glas.clients.nn_service_model_bodies import CandidateBody
from glas.domain.errors import ConflictError, GlasError, InvalidParameterError, NotFoundError
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages import model_parts, written
from glas.web.pages.model_trial import Trial, compare
from glas.web.reports import report_page
from glas.web.site import Services, site_of

router = page_router(Right.ADMINISTRATOR)
PAGE = Page("/models", "page-models", "page-models-about", Right.ADMINISTRATOR, router)

_ROUNDS: Final = 20
_US: Final = "web"
_LONGEST_REASON: Final = 500

Number = Annotated[RowId, Path()]
Expected = Annotated[ModelState, Form()]
Key = Annotated[str, Form(pattern="^[0-9a-f]{16}$")]
Reason = Annotated[str, Form(max_length=_LONGEST_REASON)]


@router.get("/models")
async def models(request: Request, visit: Visit) -> Response:
    """Show the list of models, the newest first, and the last rounds of learning."""
    site = site_of(request)
    found = await site.services.db_assist.models()
    served, candidate = await _served(site.services), await _candidate(site.services)
    return site.frame.page(
        request,
        visit,
        "models.html",
        models=found,
        served=served,
        candidate=candidate,
        record=None if candidate is None else next((one for one in found if _is_same(candidate.ref, one)), None),
        trial=None if candidate is None else await _trial(site.services, served, candidate.ref),
        rounds=await site.services.db_assist.rounds(_ROUNDS),
        by_data={one.dataset_version: one for one in found if one.dataset_version},
        parts=model_parts,
        written=written,
    )


@router.get("/models/{number}")
async def model(request: Request, visit: Visit, number: Number, *, kept: Annotated[bool, Query()] = True) -> Response:
    """Show one model: its lineage, verdict, report and earlier decisions, and the decisions that are possible now.

    After a button has made the model the default model, the page is opened with `kept`. `kept` states whether the model
    will also be the default model after a restart of nn_service. If `kept` is false, the page shows a warning.
    """
    site = site_of(request)
    found = await site.services.db_assist.models()
    shown = _one(found, number)
    served = await _served(site.services)
    return site.frame.page(
        request,
        visit,
        "model.html",
        model=shown,
        served=served,
        is_served=served is not None and _is_same(served, shown),
        before=_before(found),
        trial=await _trial(site.services, _compared_with(shown, found), shown.ref),
        has_report=await _has_report(site.services, shown),
        checks=model_parts.checks(shown.verdict, visit.say),
        recipe=model_parts.flat(shown.lineage.get("recipe")),
        learnt=model_parts.learnt(shown.lineage),
        key=secrets.token_hex(8),
        can_serve=site.services.nn_service is not None,
        is_kept=kept,
        parts=model_parts,
        written=written,
    )


@router.get("/models/{number}/report")
async def report(request: Request, visit: Visit, number: Number) -> Response:
    """Send the gate's report about a model.

    The report contains words and sound of people, so the audit records who has opened it.
    """
    services = site_of(request).services
    shown = _one(await services.db_assist.models(), number)
    body = await services.data_loader.report(shown.version)
    await services.db_assist.read_report(number, by=visit.person)
    return report_page(body)


@router.post("/models/{number}/promote")
async def promote(
    request: Request, visit: Visit, number: Number, *, expected: Expected, key: Key, reason: Reason = ""
) -> Response:
    """Make a model the champion; if the gate has refused the model, a reason is required."""
    services = site_of(request).services
    shown = _one(await services.db_assist.models(), number)
    is_forced = _is_refused(shown)
    if is_forced and not reason.strip():
        raise InvalidParameterError("expected a reason to let a model serve that the gate refused", param="reason")
    wanted = DecisionRequest(
        state=ModelState.CHAMPION,
        tg_id=visit.person,
        expected=expected,
        is_forced=is_forced,
        reason=reason.strip() or None,
        key=f"page:{key}",
    )
    await services.db_assist.decide(number, wanted)
    try:
        is_kept = await _serve(services, shown.name)
    except GlasError as error:
        back = DecisionRequest(
            state=ModelState.ROLLED_BACK, operator=_US, reason=error.message[:_LONGEST_REASON], key=f"page:{key}:failed"
        )
        await services.db_assist.decide(number, back)
        raise
    return _back(number, is_kept=is_kept)


@router.post("/models/{number}/roll-back")
async def roll_back(request: Request, visit: Visit, number: Number, key: Key, reason: Reason = "") -> Response:
    """Roll the present champion back, so that the previous champion becomes the champion again."""
    services = site_of(request).services
    found = await services.db_assist.models()
    shown = _one(found, number)
    if shown.state is ModelState.CHAMPION and _before(found) is None:
        raise ConflictError("expected a model that has served before this one")
    wanted = DecisionRequest(
        state=ModelState.ROLLED_BACK,
        tg_id=visit.person,
        expected=ModelState.CHAMPION,
        reason=reason.strip() or None,
        key=f"page:{key}",
    )
    decided = await services.db_assist.decide(number, wanted)
    try:
        is_kept = decided.champion is None or await _serve(services, decided.champion.name)
    except GlasError as error:
        again = DecisionRequest(
            state=ModelState.CHAMPION,
            operator=_US,
            is_forced=_is_refused(shown),
            reason=error.message[:_LONGEST_REASON] or error.code,
            key=f"page:{key}:failed",
        )
        await services.db_assist.decide(number, again)
        raise
    return _back(number, is_kept=is_kept)


@router.post("/models/{number}/serve")
async def serve(request: Request, visit: Visit, number: Number) -> Response:  # noqa: ARG001 - as all routes
    """Make the champion the default model of nn_service.

    The page has a button for this only if the default model of nn_service is not the champion.
    """
    services = site_of(request).services
    shown = _one(await services.db_assist.models(), number)
    if shown.state is not ModelState.CHAMPION:
        raise ConflictError("expected the champion")
    return _back(number, is_kept=await _serve(services, shown.name))


async def _serve(services: Services, name: str) -> bool:
    """Make a model the default model of nn_service; return whether it stays the default model after a restart."""
    if services.nn_service is None:
        raise ConflictError("expected nn_service behind the pages")
    return await services.nn_service.serve(name)


async def _served(services: Services) -> ModelRef | None:
    """Return the present default model of nn_service; None if nn_service does not answer."""
    try:
        return None if services.nn_service is None else (await services.nn_service.health()).served
    except GlasError:
        return None


async def _candidate(services: Services) -> CandidateBody | None:
    """Return the candidate that answers a share of people; None if there is none, or if nn_service does not answer."""
    try:
        return None if services.nn_service is None else await services.nn_service.candidate()
    except GlasError:
        return None


async def _trial(services: Services, before: ModelRef | None, after: ModelRef) -> Trial | None:
    """Compare two models on messages of people; return None if there is nothing to compare."""
    if before is None or before == after:
        return None
    found = await compare(services.db_assist, before, after)
    return found if found.is_begun else None


def _compared_with(shown: ModelRecord, found: tuple[ModelRecord, ...]) -> ModelRef | None:
    """Return the model with which the shown model is compared on messages of people.

    This is the champion; if the shown model is the champion itself, it is the previous champion. Return None if there
    is no such model.
    """
    other = _before(found) if shown.state is ModelState.CHAMPION else None
    other = other or next((one for one in found if one.state is ModelState.CHAMPION), None)
    return None if other is None else other.ref


async def _has_report(services: Services, shown: ModelRecord) -> bool:
    try:
        return shown.version in await services.data_loader.reports()
    except GlasError:
        return False


def _one(found: tuple[ModelRecord, ...], number: int) -> ModelRecord:
    for one in found:
        if one.id == number:
            return one
    raise NotFoundError("expected a model that was judged here")


def _before(found: tuple[ModelRecord, ...]) -> ModelRecord | None:
    """Return the previous champion: it becomes the champion again if the present champion is rolled back.

    Return None if there is no previous champion.
    """
    earlier = [one for one in found if one.state is ModelState.REPLACED and one.champion_datetime is not None]
    return max(earlier, key=lambda one: str(one.champion_datetime), default=None)


def _is_refused(model: ModelRecord) -> bool:
    return model.verdict is not None and not model.verdict.passed


def _is_same(served: ModelRef, model: ModelRecord) -> bool:
    """Return whether the model `served` of nn_service is the model of a record.

    The directories in both names are not compared, because in nn_service the directory of models may have another path.
    """
    names = [one.rpartition("/")[2] for one in (served.name, model.name)]
    return names[0] == names[1] and served.version == model.version


def _back(number: int, *, is_kept: bool) -> Response:
    return RedirectResponse(f"/models/{number}" + ("" if is_kept else "?kept=false"), 303)
