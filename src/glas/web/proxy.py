"""Pass requests for the API on to nn_service in another process, so that nn_service needs no public address.

Bodies of requests and answers are passed on in chunks, so uploads and events are neither delayed nor stored in memory.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from starlette.background import BackgroundTask

from glas.clients.http import open_http
from glas.domain.errors import ServiceUnreachableError
from glas.logs import REQUEST_ID_HEADER
from glas.serving import errors
from glas.serving.cors import allow_origins
from glas.serving.gate import OPEN_PATHS, Gate, is_administration, require_admin
from glas.settings.keys import HashedKey

# Headers that are not passed on. Most of them concern a single connection (RFC 9110, 7.6.1). `authorization` contains
# the caller's key, which is not the key of nn_service.
_OF_THIS_HOP: Final = frozenset({
    "authorization", "connection", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip


def create_proxy(
    url: str,
    *,
    token: str | None,
    authority: Path | None = None,
    key: str | None,
    max_body_bytes: int,
    others: Sequence[HashedKey] = (),
    cors_origins: Sequence[str] = (),
) -> FastAPI:
    """Make the app that passes requests on to nn_service.

    Args:
        url: address of nn_service.
        token: token with which this app identifies itself to nn_service.
        authority: file (PEM) with certificates of a certificate authority. This authority is trusted in addition to the
            public authorities.
        key: API key that callers must send; None if no such key is set.
        max_body_bytes: largest permitted `Content-Length` of a request, in bytes.
        others: hashes of further accepted keys. If neither `key` nor such a key is set, every request is accepted.
        cors_origins: origins of pages of other sites that may call the API from a browser.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_http(url=url, token=token, authority=authority) as http:
            app.state.http = http
            yield

    app = FastAPI(title="Glas", lifespan=lifespan, openapi_url=None, max_body_size=max_body_bytes)
    app.add_middleware(Gate, key=key, others=others, max_body_bytes=max_body_bytes, open_paths=OPEN_PATHS)
    allow_origins(app, cors_origins)
    errors.install(app, max_body_bytes=max_body_bytes)
    app.add_api_route("/{path:path}", forward, methods=["GET", "HEAD", "POST", "PUT", "DELETE"], response_model=None)
    return app


async def forward(request: Request, path: str) -> Response:
    """Send a request to nn_service, and return the answer of nn_service in chunks.

    Raises:
        ServiceUnreachableError: nn_service does not answer.
        ForbiddenError: the path is for administrators only, and the caller is no administrator.
    """
    http: httpx.AsyncClient = request.app.state.http
    headers = [(name, value) for name, value in request.headers.items() if name not in _OF_THIS_HOP]
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    onward = http.build_request(
        request.method,
        f"/{path}",
        params=request.query_params,
        headers=headers,
        content=request.stream() if has_body else None,
    )
    # The gate has checked the path as the caller wrote it. The request to nn_service contains the normalised path and a
    # token with all rights. So the normalised path must be checked, too.
    if is_administration(request.method, onward.url.path):
        require_admin(request.state.caller, request.headers)
    try:
        answer = await http.send(onward, stream=True)
    except httpx.TransportError as error:
        raise ServiceUnreachableError(f"nn_service does not answer at {http.base_url}") from error
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in _OF_THIS_HOP and name != REQUEST_ID_HEADER.lower() and not name.startswith("access-control-")
    }
    return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose))
