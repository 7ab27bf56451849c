"""Routes of the candidate: show the candidate and its share of people, and end its trial (administrators only)."""

import asyncio

from fastapi import APIRouter, Request, Response

from glas.clients.nn_service_model_bodies import CandidateBody
from glas.nn_service.answering import service_of
from glas.serving.openapi import failures

_CANDIDATE = "/api/candidate"


def make_router() -> APIRouter:
    """Make the router of the routes for the candidate."""
    router = APIRouter(tags=["models"])
    router.add_api_route(
        _CANDIDATE,
        show,
        methods=["GET"],
        summary="Show the candidate that is tried beside the default model",
        responses=failures(),
    )
    router.add_api_route(
        _CANDIDATE,
        take_back,
        methods=["DELETE"],
        status_code=204,
        summary="Stop the trial of the candidate (administrators)",
        responses=failures(403),
    )
    return router


async def show(request: Request) -> CandidateBody | None:
    """Return the candidate that the command `glas models canary` has chosen; null if there is none."""
    tried = service_of(request).canary.tried
    if tried is None:
        return None
    choice = tried.choice
    return CandidateBody(model=tried.model, version=tried.version, share=choice.share, shadow_share=choice.shadow_share)


async def take_back(request: Request) -> Response:
    """End the trial of the candidate, so that the default model answers everybody.

    Do nothing if there is no candidate.

    """
    await asyncio.to_thread(service_of(request).canary.take_back)
    return Response(status_code=204)
