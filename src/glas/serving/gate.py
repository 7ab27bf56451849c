"""Middleware of every service: checks a request's key and the length in `Content-Length` before the body is read."""

import re
import time
import uuid
from collections.abc import Collection, Mapping, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glas.domain.error_bodies import to_body
from glas.domain.errors import AuthenticationError, ForbiddenError, GlasError, UploadTooLargeError
from glas.logs import REQUEST_ID_HEADER, bind, unbind
from glas.serving.keys import Caller, KeyRing
from glas.settings import MIB
from glas.settings.keys import HashedKey

PROBES = ("/health", "/ready")
"""Paths that need no key. `/health` shows whether the process answers, `/ready` whether the service can work now."""

OPEN_PATHS = (*PROBES, "/docs", "/openapi.json")
"""Paths that need no key on a service whose documentation is public."""

_ADMINISTRATION = "/api/"
# Below these paths even reading requires an administrator.
_HIDDEN = ("/api/models", "/api/fetches")
# Headers in which a proxy names the client for which it sends a request.
_OF_PROXIES = ("forwarded", "x-forwarded-for")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_PERSONAL = frozenset({"tg_id", "chat_id"})
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

_log = structlog.stdlib.get_logger("glas.serving")


class Gate:
    """ASGI middleware: give each request an id, check its key, and refuse a body whose `Content-Length` is too large.

    FastAPI's dependencies run only after the body was read. If a dependency checked the key, a caller without a key
    could therefore make the service read a large body. If a request has no `Content-Length`, the router's
    `max_body_size` limits the body. The sender of the request (a `glas.serving.keys.Caller`) is stored in the state of
    the ASGI scope as `caller`.

    Args:
        app: the ASGI app that gets the accepted requests.
        key: the key of the owner of the service, who has all rights.
        others: keys of other callers, which are also accepted.
        max_body_bytes: largest permitted length of a body, in bytes.
        open_paths: paths that need no key.
        readable: the beginning of a path. If `readable` is not empty, callers that are not administrators may only
            read, and only paths with this beginning.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        key: str | None,
        max_body_bytes: int,
        others: Sequence[HashedKey] = (),
        open_paths: Collection[str] = PROBES,
        readable: str = "",
    ) -> None:
        self._app = app
        self._keys = KeyRing(key, others)
        self._max_body_bytes = max_body_bytes
        self._open_paths = frozenset(open_paths)
        self._readable = readable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app, or answer the request with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        tokens = bind(request_id=request_id)
        exchange = _Exchange(send, request_id)
        try:
            caller = self._admitted(scope, headers)
            if caller is not None and caller.name:
                tokens = {**tokens, **bind(caller=caller.name)}
            await self._app(scope, receive, exchange.send)
        except GlasError as error:
            if exchange.status:
                raise
            await _refusal(error)(scope, receive, exchange.send)
        finally:
            exchange.log(scope)
            unbind(tokens)

    def _admitted(self, scope: Scope, headers: Headers) -> Caller | None:
        caller = None
        if scope["path"] not in self._open_paths:
            caller = self._keys.caller(headers.get("authorization", ""))
            scope.setdefault("state", {})["caller"] = caller
            if is_administration(scope["method"], scope["path"]):
                require_admin(caller, headers)
            if self._readable and not caller.is_admin:
                self._require_reading(scope)
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_body_bytes:
            raise too_large(self._max_body_bytes, f"{int(announced) / MIB:.1f} MiB")
        return caller

    def _require_reading(self, scope: Scope) -> None:
        if scope["method"] not in _READING or not scope["path"].startswith(self._readable):
            raise ForbiddenError(f"expected a key that permits more than reading {self._readable}")


class _Exchange:
    """Adds the request's id to the headers of the answer, and logs the answer."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self._began = time.monotonic()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[REQUEST_ID_HEADER] = self._request_id
        await self._send(message)

    def log(self, scope: Scope) -> None:
        _log.info(
            "request",
            method=scope["method"],
            path=_nameless(scope),
            status=self.status,
            seconds=round(time.monotonic() - self._began, 3),
        )


def _nameless(scope: Scope) -> str:
    """Return the path of a request without the ids of people and chats, for the log.

    The ids must not be logged, because `/forget` does not delete logs.
    """
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        if name in _PERSONAL:
            path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


def is_administration(method: str, path: str) -> bool:
    """Return whether only administrators may send a request; such requests change models or read restricted data."""
    return path.startswith(_ADMINISTRATION) and (method not in _READING or path.startswith(_HIDDEN))


def require_admin(caller: Caller, headers: Mapping[str, str]) -> None:
    """Raise an error if the caller is not an administrator.

    Args:
        caller: the sender of the request.
        headers: headers of the request; their names are in lower case.

    Raises:
        ForbiddenError: the key does not belong to an administrator. On a server without keys, the error is raised in
            two cases: a page of another site sent the request, or the request came through a proxy, so it may come from
            another machine.
    """
    if not caller.is_admin:
        raise ForbiddenError(
            f"expected an administrator's key, got that of {caller.name}; make one with: glas keys new NAME --admin"
        )
    if caller.has_key:
        return
    if headers.get("sec-fetch-site", "") == "cross-site":
        raise ForbiddenError("expected a request of this server's own page, got one of a foreign page without a key")
    if any(name in headers for name in _OF_PROXIES):
        raise ForbiddenError("expected a request from this machine or a key (GLAS_API_KEY), got one through a proxy")


def too_large(limit_bytes: int, came: str) -> UploadTooLargeError:
    """Return the error for a body that is longer than `limit_bytes`; `came` states the length of the body in words."""
    return UploadTooLargeError(f"expected an upload of at most {limit_bytes // MIB} MiB, got {came}", param="file")


def _refusal(error: GlasError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, AuthenticationError) else {}
    return JSONResponse(to_body(error), error.status, headers=headers | retry_header(error))


def retry_header(error: GlasError) -> dict[str, str]:
    """Return the header `Retry-After` with the seconds in `error.retry_after_s`; no header if this value is None."""
    return {} if error.retry_after_s is None else {"Retry-After": str(max(1, round(error.retry_after_s)))}
