"""Make the HTTP calls of all clients, in memory or over TCP; raise the error that the service reported.

An in-memory transport ignores httpx's time-outs and does not run the lifespan of the app. Therefore this module limits
the time of calls with `asyncio.timeout`, and `glas.launch` runs the lifespan.
"""

import asyncio
import functools
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import structlog
from pydantic import BaseModel

from glas import tracing
from glas.clients.in_process import InProcessClient
from glas.domain.error_bodies import from_body
from glas.domain.errors import ConfigurationError, ServiceFaultError, ServiceTimeoutError, ServiceUnreachableError
from glas.logs import REQUEST_ID_HEADER
from glas.system.sockets import silence_options

_FIRST_ERROR_STATUS = 400


def open_http(
    *,
    url: str | None,
    app: Any = None,
    token: str | None = None,
    connect_s: float = 5.0,
    socket_path: Path | None = None,
    authority: Path | None = None,
) -> httpx.AsyncClient:
    """Make an HTTP client of one service.

    Args:
        url: address of the service; None if the service runs in this process.
        app: the ASGI app of the service, if the service runs in this process.
        token: the API key that is sent in the header `Authorization: Bearer`; None sends no API key.
        connect_s: longest wait for a connection, seconds.
        socket_path: path of a Unix socket that is used instead of TCP; host and port of `url` are then ignored.
        authority: file (PEM) with certificates of an authority that is trusted in addition to the public ones.

    Raises:
        ConfigurationError: the file `authority` cannot be read.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    if url is not None:
        # Reading has no separate time limit. `call` limits the time of the whole exchange, and a connection to a
        # machine that stops answering ends by itself.
        timeout = httpx.Timeout(None, connect=connect_s)
        if socket_path is None:
            transport = httpx.AsyncHTTPTransport(verify=_tls(authority), socket_options=silence_options())
        else:
            transport = httpx.AsyncHTTPTransport(verify=_tls(None), uds=str(socket_path))
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, trust_env=False, transport=transport)
    return InProcessClient(app, headers=headers)


@functools.cache
def _tls(authority: Path | None) -> ssl.SSLContext:
    """Return the TLS settings. All clients use the same object, because loading the certificates takes a long time."""
    context = httpx.create_ssl_context()
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except OSError as error:  # also a file that holds no certificates
            raise ConfigurationError(
                f"expected a file with certificates (PEM) in GLAS_TLS__AUTHORITY, got {authority}: {error}"
            ) from error
    return context


async def call(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    timeout_s: float,
    files: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    body: BaseModel | None = None,
) -> Any:
    """Make one call and return its JSON.

    Args:
        http: HTTP client of the service, made by `open_http`.
        method: the HTTP method, such as `GET`.
        path: path of the route, such as `/health`.
        timeout_s: longest wait for the whole exchange, seconds.
        files: parts of a form that are files.
        data: fields of the form that are not files.
        params: the query string; parameters with the value None are left out.
        body: body of the request, which is sent as JSON.

    Raises:
        ServiceUnreachableError: the service cannot be reached.
        ServiceTimeoutError: no answer within `timeout_s` seconds.
        GlasError: the error that the service reported; the exception has the same class as in the service.
    """
    content, headers = (None, {}) if body is None else (body.model_dump_json(), {"Content-Type": "application/json"})
    query = None if params is None else {name: value for name, value in params.items() if value is not None}
    response = await exchange(
        http,
        method,
        path,
        timeout_s=timeout_s,
        headers=headers,
        files=files,
        data=data,
        params=query,
        content=content,
    )
    return _json(response)


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    **body: Any,
) -> httpx.Response:
    """Make one call whose answer need not be JSON; the arguments `headers` and `body` are passed to httpx unchanged.

    This function raises the same errors as `call`.
    """
    with _translated(http, timeout_s):
        async with asyncio.timeout(timeout_s):
            response = await http.request(method, path, headers={**(headers or {}), **_carried()}, **body)
    _require_success(response)
    return response


@asynccontextmanager
async def streamed(
    http: httpx.AsyncClient, method: str, path: str, *, timeout_s: float, **body: Any
) -> AsyncIterator[httpx.Response]:
    """Make one call, and yield its answer before the body has arrived; raise the same errors as `call`."""
    with _translated(http, timeout_s):
        async with asyncio.timeout(timeout_s), http.stream(method, path, headers=_carried(), **body) as response:
            if response.status_code >= _FIRST_ERROR_STATUS:
                await response.aread()
                _require_success(response)
            yield response


def _carried() -> dict[str, str]:
    """Return the headers that contain the request id and the trace of the caller."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {**({REQUEST_ID_HEADER: request_id} if request_id else {}), **tracing.headers()}


@contextmanager
def _translated(http: httpx.AsyncClient, timeout_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ServiceTimeoutError(
            f"expected an answer from {http.base_url} within {timeout_s:g} s, got none"
        ) from error
    except httpx.TransportError as error:
        raise ServiceUnreachableError(f"nobody answers at {http.base_url} ({type(error).__name__})") from error


def _require_success(response: httpx.Response) -> None:
    if response.status_code < _FIRST_ERROR_STATUS:
        return
    retry_after = response.headers.get("retry-after", "")
    raise from_body(
        response.status_code, _json(response), retry_after_s=float(retry_after) if retry_after.isdecimal() else None
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ServiceFaultError(f"expected JSON, got status {response.status_code}: {response.text[:200]!r}") from error
