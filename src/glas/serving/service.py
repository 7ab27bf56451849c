"""Make the FastAPI app of a part of Glas; protect an app that only other parts of Glas may call."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

import glas
from glas import tracing
from glas.serving import errors
from glas.serving.gate import Gate
from glas.serving.keys import retiring
from glas.serving.openapi import describe
from glas.serving.telemetry import telemetry
from glas.settings.keys import HashedKey


def new_app(part: tracing.Part, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """Make the app of a part, without any routes; the caller adds the routes.

    The app has none of FastAPI's documentation pages, because these pages load scripts from foreign hosts.
    """
    return FastAPI(
        title=f"Glas {part}",
        version=glas.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=telemetry(part),
    )


def make_internal(
    app: FastAPI,
    purpose: str,
    *,
    key: str | None,
    previous_key: str | None,
    max_body_bytes: int,
    readers: Sequence[HashedKey] = (),
    readable: str = "",
) -> None:
    """Prepare an app that only other parts of Glas call: check the key, limit bodies, and format and document errors.

    Args:
        app: the app to be prepared. Middleware that must run after the check of the key must be added to `app` before
            this call.
        purpose: the purpose of the service, for its OpenAPI document.
        key: the key that callers must send as `Authorization: Bearer`; None requires no key.
        previous_key: the former key, which is accepted until all callers have the new key; None if there is none.
        max_body_bytes: largest permitted body of a request, in bytes.
        readers: keys of callers that may only read paths that begin with `readable`.
        readable: the beginning of the paths that `readers` may read.
    """
    others = (*retiring(previous_key), *readers)
    app.add_middleware(Gate, key=key, others=others, readable=readable, max_body_bytes=max_body_bytes)
    errors.install(app, max_body_bytes=max_body_bytes)
    describe(app, purpose, needs_key=key is not None)


def add_operation(
    app: FastAPI,
    *,
    health: Callable[..., Any],
    ready: Callable[..., Any],
    ready_summary: str,
    render: Callable[[], Awaitable[bytes]],
) -> None:
    """Add the routes `/health`, `/ready` and `/metrics` to an app.

    Args:
        app: the app. `render` is stored in `app.state.figures`, so that another app of the same process can call it.
        health: the endpoint of `/health`, which answers as long as the process runs.
        ready: the endpoint of `/ready`, which answers without an error if the service can work.
        ready_summary: description of the endpoint `ready` in the OpenAPI document.
        render: returns the metrics in Prometheus' text format.
    """

    async def figures() -> Response:
        """Return the metrics of the part."""
        return Response(await render(), media_type=CONTENT_TYPE_LATEST)

    app.state.figures = render
    app.add_api_route("/health", health, methods=["GET"], summary="Check whether the process answers")
    app.add_api_route("/ready", ready, methods=["GET"], summary=ready_summary)
    app.add_api_route(
        "/metrics",
        figures,
        methods=["GET"],
        summary="Show metrics in the format of Prometheus",
        response_class=Response,
    )
