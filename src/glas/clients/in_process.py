"""Call a service that runs in this process directly through ASGI, without httpx's transport.

httpx prepares each request for a network (address, cookies, proxies, redirects, streams). For a small call, this
preparation took more processor time than the work of the service itself. Calls with forms or streams still go through
httpx; see `glas.clients.in_process_stream`.
"""

import asyncio
from typing import Any, Final
from urllib.parse import quote

import httpx
import structlog
from starlette.types import ASGIApp, Message

from glas.clients.in_process_stream import StreamingTransport

_HOST: Final = "in-process"
_PLAIN: Final = frozenset({"headers", "params", "content"})
_INTERNAL_SERVER_ERROR: Final = 500

_log = structlog.stdlib.get_logger("glas.clients")


class InProcessClient(httpx.AsyncClient):
    """An HTTP client of one ASGI app in this process; the caller must run the lifespan of the app."""

    def __init__(self, app: ASGIApp, *, headers: dict[str, str]) -> None:
        """Initialise the client; `headers` are sent with every call."""
        transport = StreamingTransport(app)
        super().__init__(transport=transport, base_url=f"http://{_HOST}", headers=headers)
        self._app = app

    async def request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Response:
        """Make one call; if the app raises an exception that it does not catch, return an answer with status 500."""
        content = options.get("content")
        is_plain = isinstance(url, str) and url.startswith("/") and options.keys() <= _PLAIN | _empty(options)
        if not is_plain or not isinstance(content, bytes | str | None):
            return await super().request(method, url, **options)
        body = content.encode() if isinstance(content, str) else content or b""
        headers = {"host": _HOST, "content-length": str(len(body)), **(options.get("headers") or {})}
        if (key := self.headers.get("authorization")) is not None:
            headers.setdefault("authorization", key)
        path = str(url)
        exchange = _Exchange(body)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "headers": [(name.lower().encode("ascii"), value.encode()) for name, value in headers.items()],
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode("ascii"),
            "query_string": str(httpx.QueryParams(options.get("params"))).encode("ascii"),
            "server": (_HOST, None),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # over TCP the server of the app would answer 500, too
            # An app of Glas logs its errors and answers them itself. Then it raises them again, for its server.
            if not exchange.has_begun:
                _log.exception("a service in this process failed without an answer", method=method, path=path)
            elif not exchange.ended.is_set():
                exchange.ended.set()
                raise httpx.RemoteProtocolError(f"the answer to {method} {path} was cut off") from error
        return httpx.Response(exchange.status, headers=exchange.headers, content=b"".join(exchange.parts))


class _Exchange:
    """One request and its answer."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status = _INTERNAL_SERVER_ERROR
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.has_begun = False
        self.ended = asyncio.Event()

    async def receive(self) -> Message:
        """Return the whole body of the request to the app; at the next call, wait for the end of the answer."""
        if self._body is None:
            await self.ended.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Store a part of the answer that the app has sent."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.ended.set()


def _empty(options: dict[str, Any]) -> set[str]:
    return {name for name, value in options.items() if value is None}
