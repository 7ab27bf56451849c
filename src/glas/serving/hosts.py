"""Check the `Host` header of requests to a server without keys, as a protection against DNS rebinding."""

import re
from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from glas.domain.error_bodies import to_body
from glas.domain.errors import ForbiddenError

_OWN_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_NAME: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")


class HostCheck:
    """ASGI middleware: refuse requests whose `Host` is not a name of this server.

    The owner of a foreign site can make the host name of the foreign site resolve to 127.0.0.1. The pages of the
    foreign site can then read the answers of this server (DNS rebinding). In this case, the browser sends the host name
    of the foreign site as `Host`. A server that requires a key does not need this check, because a page of a foreign
    site has no key.

    Args:
        app: the ASGI app that gets the accepted requests.
        host: the address on which the server listens.
        allowed: further permitted host names, for instance the name of a proxy. `*.example.org` permits all names below
            example.org, and `*` permits any name.
    """

    def __init__(self, app: ASGIApp, *, host: str, allowed: Collection[str] = ()) -> None:
        self._app = app
        self._names = {name.lower() for name in (*_OWN_NAMES, host, *allowed)}
        self._endings = tuple(name[1:] for name in self._names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the app, or refuse it."""
        if scope["type"] == "http" and not self._is_ours(given := Headers(scope=scope).get("host", "")):
            error = ForbiddenError(
                f"expected the Host of this server ({', '.join(sorted(self._names))}), got {given[:100]!r}; name it in "
                "GLAS_ALLOWED_HOSTS, or set a key (GLAS_API_KEY)"
            )
            await JSONResponse(to_body(error), error.status)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, given: str) -> bool:
        found = _NAME.fullmatch(given.lower())
        name = found[1] if found else ""
        return name in self._names or "*" in self._names or (bool(self._endings) and name.endswith(self._endings))
