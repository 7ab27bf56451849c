"""Make the FastAPI app of web: the first page, which turns speech into text, and pages for people who are signed in.

All pages consist of HTML, CSS and JavaScript modules, and load files only from this server. The first page calls the
API of nn_service at the address of this app: nn_service is mounted in the app, or requests for the API are passed on to
nn_service in another process (`glas.web.proxy`). The first page works without a database and without signing in.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.types import ASGIApp

import glas
from glas.domain.transcription import SURE
from glas.serving import errors
from glas.settings import WebSettings
from glas.web.files import SECURITY_HEADERS, VersionedFiles
from glas.web.pages import PAGES, sign_in
from glas.web.samples import Sample, find_sample, list_samples
from glas.web.site import Services, make_site

_HERE: Final = Path(__file__).parent
STATIC_DIR: Final = _HERE / "static"
_PAGE_FILE: Final = _HERE / "templates" / "index.html"

# The page contains the version of its files, so a browser must ask each time whether the page has changed. If it has
# not changed, the answer is 304 without a body.
_REVALIDATE: Final = {"Cache-Control": "no-cache"}


def create_app(
    *,
    api: ASGIApp | None = None,
    samples_dir: Path | None = None,
    services: Services | None = None,
    options: WebSettings | None = None,
    key: bytes | None = None,
    admins: frozenset[int] = frozenset(),
) -> FastAPI:
    """Make the app. Files are read later, when a server starts the app (at the beginning of its lifespan).

    Args:
        api: app that answers all paths that do not belong to web pages, such as `/v1/*` and `/health`. The caller must
            run the lifespan of this app, because FastAPI does not run the lifespan of a mounted app.
        samples_dir: a directory with recordings for people who want to try the page. If it is None or missing, there
            are no such recordings.
        services: clients of the parts that the pages for people who are signed in need. If it is None, nobody can sign
            in.
        options: settings of the pages for people who are signed in.
        key: key with which sessions are signed. If it is None, a random key is made, so all sessions end when the app
            ends.
        admins: Telegram ids of the administrators.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        static = app.state.frame.static = f"/static/{_version_of(STATIC_DIR)}"
        page = _PAGE_FILE.read_text(encoding="utf-8")
        app.state.page = page.replace("{{ static }}", static).replace("{{ sure }}", str(SURE))
        yield

    # This app has no /docs and no /openapi.json, so that requests for these paths reach the API and its documentation.
    app = FastAPI(title="Glas", version=glas.__version__, lifespan=lifespan, openapi_url=None)
    errors.install(app, max_body_bytes=0)
    app.add_api_route("/", page, methods=["GET", "HEAD"], response_class=HTMLResponse)
    _add_samples(app, samples_dir)
    site = make_site(services, options or WebSettings(), key or secrets.token_bytes(32), admins, PAGES)
    app.state.site, app.state.frame, app.state.visitors = site, site.frame, site.visitors
    for router in (sign_in.open_router, sign_in.own_router, *(one.router for one in PAGES)):
        app.include_router(router)
    app.mount("/static", VersionedFiles(directory=STATIC_DIR))
    if api is not None:
        app.mount("/", api)
    return app


def _add_samples(app: FastAPI, samples_dir: Path | None) -> None:
    """Add the routes of the sample recordings, with which people can try the first page."""

    def samples() -> list[Sample]:
        return list_samples(samples_dir)

    def sample(name: str) -> FileResponse:
        return FileResponse(find_sample(samples_dir, name), headers=SECURITY_HEADERS | _REVALIDATE)

    app.add_api_route("/samples", samples, methods=["GET"])
    app.add_api_route("/samples/{name}", sample, methods=["GET", "HEAD"], response_class=FileResponse)


async def page(request: Request) -> Response:
    """Send the first page; send status 304 instead if the browser has the present version of the page already."""
    body: str = request.app.state.page
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
    headers = SECURITY_HEADERS | _REVALIDATE | {"ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(body, headers=headers)


def _version_of(directory: Path) -> str:
    """Return a hash over the names and contents of all files in a directory.

    The hash changes when any file changes, so it is used as the version in the addresses of the files. A browser may
    therefore keep a file with a certain address for ever.
    """
    digest = hashlib.sha256()
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]
