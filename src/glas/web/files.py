"""Serve the files of the web pages, with security headers; the address of each file contains a version."""

from pathlib import PurePath
from typing import Final

from fastapi import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Only scripts of Glas run, and the page may send requests to its own origin only. `blob:` permits the audio that a
# person chose or recorded. Trusted Types make the browser refuse to turn text into HTML, which Glas's scripts never do.
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}

PAGE_HEADERS: Final = SECURITY_HEADERS | {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'"),
    # With `no-referrer`, a browser does not state the origin of the page that sends a form.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(), camera=(), geolocation=()",
    # No cache stores the pages, so nobody can see them after the person has signed out.
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""HTTP headers of the pages for people who are signed in."""

_FOR_EVER: Final = "public, max-age=31536000, immutable"


class VersionedFiles(StaticFiles):
    """Serves the file `path` at the address `/VERSION/path`.

    If a file changes, its address changes, too. So browsers may keep the file of an address for ever.

    JavaScript modules import each other by relative paths, so the addresses of all modules contain the same version.
    """

    def get_path(self, scope: Scope) -> str:
        """Return the path of a request without the version."""
        _version, *rest = PurePath(super().get_path(scope)).parts or ("",)
        return str(PurePath(*rest))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, with security headers, and with a header that permits browsers to keep the file for ever."""
        response = await super().get_response(path, scope)
        response.headers.update(SECURITY_HEADERS | {"Cache-Control": _FOR_EVER})
        return response
