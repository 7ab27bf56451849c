"""The FastAPI app of nn_service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

import glas
from glas.nn_service.openai import make_router
from glas.nn_service.recogniser import open_recogniser
from glas.serving import errors
from glas.serving.gate import Gate
from glas.settings import MIB, Settings


def create_app(settings: Settings, *, key: str | None) -> FastAPI:
    """Make the app; nothing is loaded before its lifespan begins.

    Args:
        settings: the whole configuration.
        key: what callers must send as `Authorization: Bearer`; None lets everybody in.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_recogniser(settings) as recogniser:
            app.state.recogniser = recogniser
            yield

    max_body_bytes = settings.audio.max_upload_mb * MIB
    # FastAPI's own documentation pages load scripts from foreign hosts; /openapi.json and docs/api.md need none.
    app = FastAPI(title="Glas nn_service", version=glas.__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Gate, key=key, max_body_bytes=max_body_bytes)
    errors.install(app, max_body_bytes=max_body_bytes)
    app.include_router(make_router(max_body_bytes=max_body_bytes))
    app.add_api_route("/health", health, methods=["GET"], summary="Whether the service can work")
    app.add_api_route("/metrics", metrics, methods=["GET"], summary="Figures for Prometheus", response_class=Response)
    return app


async def health(request: Request) -> dict[str, str | int]:
    """Say that the service can work, with which model, and how busy it is."""
    recogniser = request.app.state.recogniser
    return {
        "status": "ok",
        "model": recogniser.engine.name,
        "version": glas.__version__,
        "in_flight": recogniser.in_flight,
    }


async def metrics(request: Request) -> Response:
    """Render the counters."""
    return Response(request.app.state.recogniser.metrics.render(), media_type=CONTENT_TYPE_LATEST)
