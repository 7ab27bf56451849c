"""Routes that list the models on disk and in memory. Administrators can also load, swap and unload models."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from glas.clients.nn_service_bodies import TitleBody
from glas.clients.nn_service_model_bodies import (
    LoadedBody,
    LoadedModelsBody,
    ModelBody,
    ModelsBody,
    SwappedBody,
    SwapRequest,
)
from glas.domain.errors import UnknownModelError
from glas.engines.catalogue import title_of
from glas.nn_service.answering import service_of
from glas.recognition import DEFAULT_NAMES, LoadedModel, Registry, resident_bytes
from glas.serving.openapi import failures

_MODELS = "/v1/models"
_LOADED = "/api/ps"


def make_router() -> APIRouter:
    """Make the router of the routes for models."""
    router = APIRouter(tags=["models"])
    router.add_api_route(_MODELS, list_models, methods=["GET"], summary="List all models on disk", responses=failures())
    router.add_api_route(
        f"{_MODELS}/{{name:path}}", show_model, methods=["GET"], summary="Show one model", responses=failures(404)
    )
    router.add_api_route(
        _LOADED, list_loaded, methods=["GET"], summary="List the models in memory", responses=failures()
    )
    one = f"{_LOADED}/{{name:path}}"
    router.add_api_route(
        one, load, methods=["POST"], summary="Load a model (administrators)", responses=failures(403, 404, 503)
    )
    router.add_api_route(
        one,
        swap,
        methods=["PUT"],
        summary="Load a model and use it for a name (administrators)",
        responses=failures(400, 403, 404, 409, 503),
    )
    router.add_api_route(
        one,
        unload,
        methods=["DELETE"],
        status_code=204,
        summary="Unload a model (administrators)",
        responses=failures(403, 404),
    )
    return router


async def list_models(request: Request) -> ModelsBody:
    """Return all models on disk, the default model first. A model is loaded when a request names it."""
    registry = service_of(request).registry
    names = await asyncio.to_thread(registry.names)
    return ModelsBody(data=[_model(registry, name) for name in names])


async def show_model(request: Request, name: str) -> ModelBody:
    """Return the description of one model."""
    registry = service_of(request).registry
    return _model(registry, await asyncio.to_thread(registry.find, name))


async def list_loaded(request: Request) -> LoadedModelsBody:
    """Return all models in memory."""
    service = service_of(request)
    registry = service.registry
    return LoadedModelsBody(
        models=[_loaded(registry, name, model) for name, model in registry.loaded().items()],
        in_flight=service.in_flight,
        resident_bytes=resident_bytes(),
    )


async def load(request: Request, name: str) -> LoadedBody:
    """Load a model if it is not loaded; the answer is sent when the model is in memory."""
    registry = service_of(request).registry
    uniform = await asyncio.to_thread(registry.find, name)
    await asyncio.to_thread(registry.load, uniform)
    return _shown(registry, uniform)


async def swap(request: Request, name: str, wanted: Annotated[SwapRequest | None, Body()] = None) -> SwappedBody:
    """Load weights for requests that name the model `name`; requests that arrive during the loading do not fail.

    If `name` is `auto` and the body names a model, this model becomes the default model. It stays the default model
    after a restart, unless GLAS_MODEL names another model. If no model has the name `name`, for example `candidate`,
    this name becomes an alias of the model in the body until the next restart. Without a body, the files of the model
    `name` are read again. If the new weights cannot be loaded, nothing changes.
    """
    service = service_of(request)
    registry, kept = service.registry, None
    target = None
    if wanted is not None and wanted.model is not None:
        find = service.administration.find if name in DEFAULT_NAMES else registry.find
        target = await asyncio.to_thread(find, wanted.model)
    if name in DEFAULT_NAMES:
        target = target or registry.default
        kept = await asyncio.to_thread(service.administration.serve, target)
    else:
        await asyncio.to_thread(registry.swap, name, target)
        target = await asyncio.to_thread(registry.find, name)
    return SwappedBody(**_shown(registry, target).model_dump(), survives_restart=kept)


async def unload(request: Request, name: str) -> Response:
    """Unload a model when the requests that use it have ended. The next request for the model loads it again."""
    registry = service_of(request).registry
    uniform = await asyncio.to_thread(registry.find, name)
    if not await asyncio.to_thread(registry.unload, uniform):
        raise UnknownModelError(f"expected a model that is loaded, got {uniform}", param="name")
    return Response(status_code=204)


def _model(registry: Registry, name: str) -> ModelBody:
    loaded = registry.loaded().get(name)
    return ModelBody(
        id=name,
        title=TitleBody(**title_of(name)._asdict()),
        is_default=name == registry.default,
        is_loaded=loaded is not None,
        aliases=registry.aliases_of(name),
        version=None if loaded is None else loaded.version,
        window_seconds=None if loaded is None else loaded.engine.window_s,
    )


def _shown(registry: Registry, name: str) -> LoadedBody:
    model = registry.loaded().get(name)
    if model is None:
        raise UnknownModelError(f"{name} was unloaded again at once", param="name")
    return _loaded(registry, name, model)


def _loaded(registry: Registry, name: str, model: LoadedModel) -> LoadedBody:
    left_s = registry.expires_in_s(name, model)
    return LoadedBody(
        id=name,
        version=model.version,
        aliases=registry.aliases_of(name),
        is_default=name == registry.default,
        since=model.since,
        in_flight=model.n_leases,
        memory_bytes=model.memory_bytes,
        expires_at=None if left_s is None else datetime.now(UTC) + timedelta(seconds=left_s),
    )
