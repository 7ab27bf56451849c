"""How many bytes of request bodies a service holds at once, decided before a body is read."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from glas.domain.errors import OverloadedError
from glas.settings import MIB

_RETRY_S: Final = 5.0


class UploadBudget:
    """ASGI middleware: count the bodies of all requests that are being answered, and refuse what would be too much.

    It stands behind the gate, which makes an answer of the refusal.

    A body is kept in the temporary directory from its first byte until the answer, whether its request has a place in
    the queue yet or not. One request is always let in, however long it is; its own limit is the router's.

    Args:
        app: what lies behind.
        most_bytes: of all bodies together.
        largest_bytes: of one body; so long is one that does not announce its length.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, largest_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._largest_bytes = largest_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while there is room.

        Raises:
            OverloadedError: there is none.
        """
        size = self._size(Headers(scope=scope)) if scope["type"] == "http" else 0
        if self._held_bytes and size and self._held_bytes + size > self._most_bytes:
            raise OverloadedError(
                f"expected at most {self._most_bytes // MIB} MiB of uploads at once, got {size / MIB:.1f} MiB more",
                retry_after_s=_RETRY_S,
            )
        self._held_bytes += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._held_bytes -= size

    def _size(self, headers: Headers) -> int:
        announced = headers.get("content-length", "")
        if announced.isdecimal():
            return int(announced)
        return self._largest_bytes if "transfer-encoding" in headers else 0
