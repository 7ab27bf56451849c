"""Clients of services: in this process through their app, elsewhere over TCP. A client cannot tell the difference."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConfigurationError
from glas.launch.doors import key_of
from glas.settings import Settings, plain


@asynccontextmanager
async def entered(apps: Sequence[FastAPI]) -> AsyncIterator[None]:
    """Enter the lifespans of apps; neither a mount nor an in-process transport does."""
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


class Reach:
    """Clients of the services, wherever they run.

    Attributes:
        internal_key: what parts of this process show to its nn_service, whatever keys its callers have.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Collection[str],
        apps: dict[str, FastAPI],
        stack: AsyncExitStack,
        *,
        internal_key: str,
    ) -> None:
        self.internal_key = internal_key
        self._settings = settings
        self._parts = parts
        self._apps = apps
        self._stack = stack

    async def nn_service(self) -> NnServiceClient:
        """The recogniser."""
        return NnServiceClient(await self._http("nn_service"))

    async def db_assist(self) -> DbAssistClient:
        """The door to the database."""
        return DbAssistClient(await self._http("db_assist"))

    async def data_loader(self) -> DataLoaderClient:
        """The door to the object store."""
        return DataLoaderClient(await self._http("data_loader"))

    def app(self, part: str) -> FastAPI | None:
        """The app of a service that runs in this process."""
        return self._apps.get(part)

    def has(self, part: str) -> bool:
        """Whether a service runs in this process or the settings say where."""
        return part in self._apps or getattr(self._settings, f"{part}_url") is not None

    def url(self, part: str) -> str:
        """Where a service runs that is not in this process.

        Raises:
            ConfigurationError: the settings do not say.
        """
        url: str | None = getattr(self._settings, f"{part}_url")
        if url is None:
            raise ConfigurationError(
                f"expected {part}: run it in this process too (glas run {part} …), or say where it is "
                f"(GLAS_{part.upper()}_URL)"
            )
        return url

    async def enter(self, app: FastAPI) -> None:
        """Keep an app up as long as everything else."""
        await self._stack.enter_async_context(entered([app]))

    async def _http(self, part: str) -> httpx.AsyncClient:
        app = self.app(part)
        if app is not None:
            own = self.internal_key if part == "nn_service" else key_of(self._settings, part, self._parts)
            http = open_http(url=None, app=app, token=own)
        else:
            http = open_http(url=self.url(part), token=plain(getattr(self._settings, f"{part}_token")))
        return await self._stack.enter_async_context(http)
