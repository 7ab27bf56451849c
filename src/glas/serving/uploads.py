"""Limit the total size of the request bodies that a service stores at the same time."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from glas.domain.errors import OverloadedError
from glas.settings import MIB

_RETRY_S: Final = 5.0


class UploadBudget:
    """ASGI middleware: refuse a request if its body and all stored bodies together are longer than `most_bytes`.

    To refuse a request, this middleware raises an error, and `glas.serving.gate.Gate` converts the error to an answer.
    So `Gate` must be the outer middleware of the two.

    A body is kept in the temporary directory until its request is answered, also while the request waits in a queue.
    If no other body is stored, this middleware accepts a request of any size, because the router limits the size of a
    single body.

    Args:
        app: the ASGI app that gets the accepted requests.
        most_bytes: largest permitted length of all bodies together, in bytes.
        largest_bytes: largest permitted length of one body, in bytes. If a request has a body but no
            `Content-Length`, its body is counted with this length.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, largest_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._largest_bytes = largest_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app, unless the bodies of all running requests are together too long.

        Raises:
            OverloadedError: all bodies together would be longer than `most_bytes`.
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
