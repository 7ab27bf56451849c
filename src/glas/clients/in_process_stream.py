"""An httpx transport that calls an ASGI app in this process and returns its answer part by part.

httpx's own `ASGITransport` returns an answer only when the answer is complete, so partial texts would arrive too late.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import httpx
import structlog
from starlette.types import ASGIApp, Message, Scope

_INTERNAL_SERVER_ERROR: Final = 500

_log = structlog.stdlib.get_logger("glas.clients")


class StreamingTransport(httpx.AsyncBaseTransport):
    """Calls one ASGI app. If the caller closes an answer early or is cancelled, the app's task is cancelled."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Start a call, and return when the app begins to answer.

        If the app fails before it begins to answer, return an answer with status 500.
        """
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous client has no other
        exchange = _Exchange(request.stream)
        exchange.task = asyncio.create_task(exchange.run(self._app, _scope(request)))
        try:
            await exchange.begun.wait()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(exchange.status, headers=exchange.headers, stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer; this object is also the stream of the answer's body."""

    def __init__(self, body: httpx.AsyncByteStream) -> None:
        self._body = body.__aiter__()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._is_body_told = False
        self._is_whole = False
        self._ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.begun = asyncio.Event()
        self.status = _INTERNAL_SERVER_ERROR
        self.headers: list[tuple[bytes, bytes]] = []

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the app on the request. Exceptions are not passed on: the app logs them before it raises them."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - over TCP the app's server would answer 500, or cut the answer off
            if not self.begun.is_set():
                _log.exception("a service in this process failed without an answer", path=scope["path"])
                self._is_whole = True
        finally:
            self._ended.set()
            self.begun.set()
            self._parts.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await self._parts.get()) is not None:
            yield part
        if not self._is_whole:
            raise httpx.RemoteProtocolError("the answer was cut off")

    async def aclose(self) -> None:
        """Cancel the app's task, unless it has ended, and wait for its end."""
        assert self.task is not None  # noqa: S101 - made before anything is returned
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    async def _receive(self) -> Message:
        with contextlib.suppress(StopAsyncIteration):
            return {"type": "http.request", "body": await anext(self._body), "more_body": True}
        if self._is_body_told:
            await self._ended.wait()
            return {"type": "http.disconnect"}
        self._is_body_told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
            self.begun.set()
        elif message["type"] == "http.response.body":
            self._parts.put_nowait(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)


def _scope(request: httpx.Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
