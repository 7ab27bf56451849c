"""The gate in front of a service: everything that is decided before a body is read."""

import hmac
import re
import time
import uuid
from collections.abc import Collection

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glas.domain.errors import AuthenticationError, GlasError, UploadTooLargeError, to_body
from glas.logs import REQUEST_ID_HEADER, bind, unbind
from glas.settings import MIB

_PERSONAL = frozenset({"tg_id", "chat_id"})
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

_log = structlog.stdlib.get_logger("glas.serving")


class Gate:
    """ASGI middleware: names the request, asks for the key, refuses a body that announces itself too large.

    FastAPI's dependencies run only after the body was read, so a stranger could make us read it; this runs before.
    A body that does not announce its length is cut by the router's `max_body_size`.
    """

    def __init__(
        self, app: ASGIApp, *, key: str | None, max_body_bytes: int, open_paths: Collection[str] = ("/health",)
    ) -> None:
        self._app = app
        self._key = key
        self._max_body_bytes = max_body_bytes
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        tokens = bind(request_id=request_id)
        exchange = _Exchange(send, request_id)
        try:
            self._check(scope["path"], headers)
            await self._app(scope, receive, exchange.send)
        except GlasError as error:
            if exchange.status:
                raise
            await _refusal(error)(scope, receive, exchange.send)
        finally:
            exchange.log(scope)
            unbind(tokens)

    def _check(self, path: str, headers: Headers) -> None:
        if self._key is not None and path not in self._open_paths:
            check_key(headers.get("authorization", ""), self._key)
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_body_bytes:
            raise too_large(self._max_body_bytes, f"{int(announced) / MIB:.1f} MiB")


class _Exchange:
    """Watches the answer go out, so that it can be marked with the request's id and logged."""

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
    """The path without the numbers of people: logs are not deleted when somebody asks to be forgotten."""
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        if name in _PERSONAL:
            path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


def check_key(authorization: str, key: str) -> None:
    """Compare an `Authorization` header with the key, in constant time.

    Raises:
        AuthenticationError: the header is missing or holds another key.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), key.encode()):
        came = "another key" if token else "no key"
        raise AuthenticationError(f"expected the header 'Authorization: Bearer KEY' with this server's key, got {came}")


def too_large(limit_bytes: int, came: str) -> UploadTooLargeError:
    """The error for a body over the limit."""
    return UploadTooLargeError(f"expected an upload of at most {limit_bytes // MIB} MiB, got {came}", param="file")


def _refusal(error: GlasError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, AuthenticationError) else {}
    return JSONResponse(to_body(error), error.status, headers=headers | retry_header(error))


def retry_header(error: GlasError) -> dict[str, str]:
    """`Retry-After` in whole seconds, where the error knows it."""
    return {} if error.retry_after_s is None else {"Retry-After": str(max(1, round(error.retry_after_s)))}
