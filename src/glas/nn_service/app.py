"""The FastAPI app of nn_service."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

import glas
from glas.clients.nn_service_bodies import HealthBody, ReadyBody, TitleBody
from glas.domain.canary import N_BUCKETS
from glas.domain.errors import ForbiddenError
from glas.engines.catalogue import title_of
from glas.nn_service import candidates, comparisons, models, offers, openai, subtitles
from glas.nn_service.answering import service_of
from glas.nn_service.fields import BUCKET_SCHEMA, InsteadOfQuery, OwnModelQuery, own_model
from glas.nn_service.service import open_service
from glas.recognition import LoadEngine
from glas.serving import errors
from glas.serving.cors import allow_origins
from glas.serving.docs import HEADERS, render
from glas.serving.gate import OPEN_PATHS, Gate, require_admin
from glas.serving.keys import retiring
from glas.serving.openapi import describe, failures
from glas.serving.service import new_app
from glas.serving.uploads import UploadBudget
from glas.settings import MIB, Settings, listed
from glas.settings.keys import HashedKey, hashed, hashed_keys

_DESCRIPTION = (
    "Speech to text, with OpenAI's API for audio. Each answer has the header `X-Request-ID`. It contains the value "
    "that the caller sent in this header, or a new value. An answer with a text that is not streamed also has the "
    "header `X-Glas-Model`: name of the model, `@`, version of the model."
)


def create_app(
    settings: Settings,
    *,
    key: str | None,
    previous_key: str | None = None,
    internal_key: str | None = None,
    load: LoadEngine | None = None,
) -> FastAPI:
    """Make the app. No model is loaded now; a server loads the models when it starts the app (in the app's lifespan).

    Args:
        settings: the whole configuration. It may contain keys of further callers (GLAS_API_KEYS).
        key: the API key of the installation's owner, which callers send in the header `Authorization: Bearer KEY`. If
            neither this key nor another key is set, every request is accepted.
        previous_key: the former key. It is still accepted, so that callers can change to the new key one after another.
        internal_key: the key that the other parts in this process send.
        load: function that makes an engine from a model's uniform name; with None, engines are made from the files on
            disk.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_service(settings, load) as service:
            app.state.service = service
            yield

    app = new_app("nn_service", lifespan)
    neighbours: Sequence[Callable[[], Awaitable[bytes]]] = ()
    app.state.neighbours = neighbours  # the metrics of the other parts of this process
    max_body_bytes = settings.audio.max_upload_mb * MIB
    others = (*hashed_keys(settings.api_keys), *retiring(previous_key))
    needs_key = key is not None or bool(others)
    if needs_key and internal_key is not None:
        others += (HashedKey("internal", "admin", hashed(internal_key)),)
    app.add_middleware(UploadBudget, most_bytes=settings.audio.max_uploads_mb * MIB, largest_bytes=max_body_bytes)
    app.add_middleware(Gate, key=key, others=others, max_body_bytes=max_body_bytes, open_paths=OPEN_PATHS)
    allow_origins(app, listed(settings.cors_origins))
    errors.install(app, max_body_bytes=max_body_bytes)
    # The route objects are added directly: `include_router` would build each route once more, at the first request.
    for recognition in (openai, comparisons, subtitles):
        app.router.routes.extend(recognition.make_router(max_body_bytes=max_body_bytes).routes)
    for administration in (models, offers, candidates):
        app.router.routes.extend(administration.make_router().routes)
    _add_operation(app)
    describe(app, _DESCRIPTION, needs_key=needs_key, open_paths=OPEN_PATHS, declares_failures=True)
    return app


def _add_operation(app: FastAPI) -> None:
    """Add the routes for operators, and the routes of the documentation."""
    app.add_api_route(
        "/health",
        health,
        methods=["GET"],
        summary="Check whether the service answers, and show its default model and its number of recordings",
        tags=["operation"],
        responses=failures(400),
    )
    app.add_api_route("/health", health, methods=["HEAD"], include_in_schema=False)
    app.add_api_route(
        "/ready",
        ready,
        methods=["GET"],
        summary="Check whether the service can recognise a recording now",
        tags=["operation"],
        responses=failures(503),
    )
    app.add_api_route("/docs", docs, methods=["GET"], response_class=HTMLResponse, include_in_schema=False)
    app.add_api_route(
        "/metrics",
        metrics,
        methods=["GET"],
        summary="Show metrics in the format of Prometheus",
        response_class=Response,
        tags=["operation"],
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **failures()},
    )


async def health(
    request: Request,
    bucket: Annotated[int | None, BUCKET_SCHEMA, Query(ge=0, lt=N_BUCKETS)] = None,
    own: OwnModelQuery = "",
    instead_of: InsteadOfQuery = "",
) -> HealthBody:
    """Return the state of the service, such as its default model, and the number of recordings that have no text yet.

    If the query contains a bucket or an own model, the reported model is the one that would recognise a recording sent
    with the same values.
    """
    service = service_of(request)
    loaded = service.own_models.answering(own_model(own, instead_of))
    model = loaded.engine.name if loaded else service.canary.model_for(bucket) or service.registry.default
    loaded = loaded or service.registry.loaded().get(model)
    return HealthBody(
        status="ok",
        model=model,
        model_version=None if loaded is None else loaded.version,
        title=TitleBody(**title_of(model)._asdict()),
        version=glas.__version__,
        in_flight=service.in_flight,
    )


async def ready(request: Request) -> ReadyBody:
    """Answer with status 200 if the default model is loaded and the queue has a free place.

    Otherwise answer with the error that a request for recognition would get now.
    """
    service_of(request).require_ready()
    return ReadyBody(status="ready")


async def docs(request: Request) -> HTMLResponse:
    """Show the OpenAPI document as a page."""
    return HTMLResponse(render(request.app.openapi()), headers=HEADERS)


async def metrics(request: Request) -> Response:
    """Return metrics for Prometheus; an administrator also gets the metrics of the other parts in this process."""
    body: bytes = service_of(request).metrics.render()
    with contextlib.suppress(ForbiddenError):
        require_admin(request.state.caller, request.headers)
        for neighbour in request.app.state.neighbours:
            body += await neighbour()
    return Response(body, media_type=CONTENT_TYPE_LATEST)
