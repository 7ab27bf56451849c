"""Make clients of services. The clients call services of this process in memory, and other services over TCP."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConfigurationError
from glas.launch.listeners import key_of
from glas.settings import Settings, plain


@asynccontextmanager
async def entered(apps: Sequence[FastAPI]) -> AsyncIterator[None]:
    """Open a context in which the lifespans of apps run.

    This is necessary because neither mounting an app nor calling it in memory runs its lifespan.
    """
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


class Connections:
    """Makes clients of the services, which run in this process or in other processes.

    Attributes:
        internal_key: the API key with which parts of this process call the nn_service in this process.
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
        """Make a client of nn_service."""
        return NnServiceClient(await self._http("nn_service"))

    async def db_assist(self) -> DbAssistClient:
        """Make a client of db_assist."""
        return DbAssistClient(await self._http("db_assist"))

    async def data_loader(self) -> DataLoaderClient:
        """Make a client of data_loader."""
        return DataLoaderClient(await self._http("data_loader"))

    def app(self, part: str) -> FastAPI | None:
        """Return the app of a service; None if the service does not run in this process."""
        return self._apps.get(part)

    def has(self, part: str) -> bool:
        """Return whether a service runs in this process, or has an address in the settings."""
        return part in self._apps or getattr(self._settings, f"{part}_url") is not None

    def url(self, part: str) -> str:
        """Return the address of a service that does not run in this process.

        Raises:
            ConfigurationError: the settings contain no address for this service.
        """
        url: str | None = getattr(self._settings, f"{part}_url")
        if url is None:
            raise ConfigurationError(
                f"expected {part}: run it in this process too (glas run {part} …), or say where it is "
                f"(GLAS_{part.upper()}_URL)"
            )
        return url

    async def enter(self, app: FastAPI) -> None:
        """Start the lifespan of an app; the lifespan ends when all parts are stopped."""
        await self._stack.enter_async_context(entered([app]))

    async def _http(self, part: str) -> httpx.AsyncClient:
        app = self.app(part)
        if app is not None:
            own = self.internal_key if part == "nn_service" else key_of(self._settings, part, self._parts)
            http = open_http(url=None, app=app, token=own)
        else:
            token = plain(getattr(self._settings, f"{part}_token"))
            http = open_http(url=self.url(part), token=token, authority=self._settings.tls.authority)
        return await self._stack.enter_async_context(http)
