"""Helpers for tests of the pages: the app of `web` with real services in this process, and clients like browsers."""

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI

from glas.clients.data_loader import DataLoaderClient
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.data_loader.app import create_app as create_data_loader
from glas.launch.samples import samples_dir
from glas.nn_service.app import create_app as create_nn_service
from glas.settings import Settings
from glas.web.app import create_app
from glas.web.site import Services
from tests.parts.voices import open_db_assist, someone

ORIGIN = "http://web"
HTML = {"Accept": "text/html"}


@dataclass
class Pages:
    """The app and its services."""

    app: FastAPI
    services: Services
    stack: AsyncExitStack

    async def browser(self, origin: str = ORIGIN) -> httpx.AsyncClient:
        """Make a client that stores cookies, and sends the headers of a browser about the origin."""
        transport = httpx.ASGITransport(self.app)
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return await self.stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=origin, headers=headers, timeout=60)
        )

    async def person(self) -> int:
        """Register a person."""
        tg_id = someone()
        await self.services.db_assist.register(tg_id)
        return tg_id

    async def link(self, tg_id: int) -> str:
        """Return the token of a link that the bot would send."""
        token = secrets.token_urlsafe(32)
        await self.services.db_assist.offer_login(tg_id, token)
        return token

    async def signed_in(self, tg_id: int, origin: str = ORIGIN) -> httpx.AsyncClient:
        """Make a browser in which a person is signed in."""
        browser = await self.browser(origin)
        answer = await browser.post("/sign-in", data={"token": await self.link(tg_id)}, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/home")
        return browser


@asynccontextmanager
async def open_pages(
    settings: Settings,
    migrated_sqlite: Path | None = None,
    *,
    admins: frozenset[int] = frozenset(),
    has_recogniser: bool = False,
) -> AsyncIterator[Pages]:
    """Start db_assist and data_loader, and the app of `web` before them; without a file, db_assist makes its own.

    With `has_recogniser` there are samples and an nn_service, which serves what the directory of models names.
    """
    settings.data_dir.mkdir(exist_ok=True)
    if migrated_sqlite is not None:
        shutil.copy(migrated_sqlite, settings.data_dir / "glas.db")
    async with AsyncExitStack() as stack:
        db_assist = await stack.enter_async_context(open_db_assist(settings))
        loader = create_data_loader(settings, key=None, db_assist=db_assist)
        await stack.enter_async_context(loader.router.lifespan_context(loader))
        data_loader = DataLoaderClient(open_http(url=None, app=loader))
        stack.push_async_callback(data_loader.close)
        nn_service = None
        recogniser = None
        if has_recogniser:
            recogniser = await _recogniser(settings, stack)
            nn_service = NnServiceClient(open_http(url=None, app=recogniser))
            stack.push_async_callback(nn_service.close)
        services = Services(db_assist, data_loader, nn_service)
        app = create_app(
            api=recogniser,
            samples_dir=samples_dir() if has_recogniser else None,
            services=services,
            options=settings.web,
            key=b"k" * 32,
            admins=admins,
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        yield Pages(app, services, stack)


async def _recogniser(settings: Settings, stack: AsyncExitStack) -> FastAPI:
    app = create_nn_service(settings.model_copy(update={"model": "auto"}), key=None)
    await stack.enter_async_context(app.router.lifespan_context(app))
    return app


async def form_token(browser: httpx.AsyncClient, path: str = "/home") -> str:
    """Return the token of a page for its forms."""
    found = re.search(r'name="glas-form-token" content="(\w+)"', (await browser.get(path, headers=HTML)).text)
    assert found is not None
    return found[1]
