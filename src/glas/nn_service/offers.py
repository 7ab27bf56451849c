"""Routes for administrators: list the known models, download a model, and make it the default model."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from glas.clients.nn_service_bodies import TitleBody
from glas.clients.nn_service_model_bodies import ErrorTold, FetchBody, FetchRequest, OfferedBody, OfferedModelsBody
from glas.engines.catalogue import is_on_disk, known_model, title_of
from glas.engines.descriptions import KnownModel
from glas.engines.known import AUTO_ORDER
from glas.nn_service.administration import Administration, Fetch
from glas.nn_service.answering import service_of
from glas.recognition import Registry
from glas.serving.openapi import failures

_MODELS = "/api/models"
_FETCHES = "/api/fetches/{name:path}"


def make_router() -> APIRouter:
    """Make the router of the routes for known models and their downloads."""
    router = APIRouter(tags=["models"])
    router.add_api_route(
        _MODELS,
        offers,
        methods=["GET"],
        summary="List the models that can be downloaded (administrators)",
        responses=failures(403),
    )
    router.add_api_route(
        _FETCHES,
        start,
        methods=["POST"],
        status_code=202,
        summary="Download a model (administrators)",
        responses=failures(400, 403, 404, 409),
    )
    router.add_api_route(
        _FETCHES,
        stop,
        methods=["DELETE"],
        status_code=204,
        summary="Stop the download of a model (administrators)",
        responses=failures(403, 404),
    )
    return router


async def offers(request: Request) -> OfferedModelsBody:
    """Return all models that Glas knows by name, the best model first, and the states of their downloads."""
    service = service_of(request)

    def look() -> list[OfferedBody]:
        models = [known_model(name) for name in AUTO_ORDER]
        return [_offer(model, service.registry, service.administration) for model in models]

    return OfferedModelsBody(models=await asyncio.to_thread(look))


async def start(request: Request, name: str, wanted: Annotated[FetchRequest | None, Body()] = None) -> FetchBody:
    """Start the download of a model without waiting for its end; `GET /api/models` reports the progress.

    A model that is on disk is not downloaded again. If `serve` is set in the body, the model then becomes the default
    model.
    """
    serve = wanted is not None and wanted.serve
    return _shown(service_of(request).administration.start(name, serve=serve))


async def stop(request: Request, name: str) -> Response:
    """Stop a download; the bytes that have arrived are kept for the next download of this model."""
    service_of(request).administration.stop(name)
    return Response(status_code=204)


def _offer(model: KnownModel, registry: Registry, administration: Administration) -> OfferedBody:
    fetch = administration.fetch
    return OfferedBody(
        id=model.name,
        title=TitleBody(**title_of(model.name)._asdict()),
        summary=TitleBody(ru=model.summary_ru, en=model.summary_en),
        size_mb=model.size_mb,
        licence=model.licence,
        is_on_disk=is_on_disk(administration.models_dir, model.name),
        is_default=model.name == registry.default,
        fetch=_shown(fetch) if fetch is not None and fetch.name == model.name else None,
    )


def _shown(fetch: Fetch) -> FetchBody:
    error = fetch.error
    return FetchBody(
        id=fetch.name,
        state=fetch.state,
        serve=fetch.serve,
        done_bytes=fetch.done_bytes,
        total_bytes=fetch.total_bytes,
        error=None if error is None else ErrorTold(message=error.message, code=error.code),
        survives_restart=fetch.is_kept,
    )
