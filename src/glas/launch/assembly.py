"""Assemble the parts of a process: make their apps, give each part clients of other parts, and start background tasks.

A service in this process is called through its app. Any other service is called over TCP, at its address in the
settings. Both kinds of service are called with the same classes of clients. Parts are imported only when they are made:
importing aiogram takes seconds, and a process that runs only the recogniser needs neither aiogram nor a database.
"""

import contextlib
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.domain.errors import ConfigurationError, ConflictError
from glas.launch import control_socket
from glas.launch.connections import Connections, entered
from glas.launch.figures import share
from glas.launch.listeners import BOT_METRICS, key_of, previous_key_of
from glas.launch.lock import held
from glas.serving.hosts import HostCheck
from glas.settings import MIB, Settings, listed, numbers, plain
from glas.settings.keys import hashed_keys
from glas.tracing import Part

if TYPE_CHECKING:
    from glas.durable import Durable, Place

_SERVICES = ("nn_service", "db_assist", "data_loader")
_EXPORT, _EXPORTS = "export", "exports"


@dataclass
class Assembly:
    """The parts that run in this process.

    Attributes:
        apps: the app of each service, by the name of the service; the app of the web pages has the name `web`.
        tasks: functions that start background tasks, such as the bot; the tasks run until they are cancelled.
        has_bot_reached_telegram: a function that returns whether Telegram has answered any request of the bot since the
            start; None if no bot runs.
        internal_key: an API key that nn_service accepts. This API key is never stored or sent to another process. A new
            API key is made at each start.
        figures: functions that return the metrics of parts that have no app.
    """

    apps: dict[str, FastAPI] = field(default_factory=dict)
    tasks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    has_bot_reached_telegram: Callable[[], bool] | None = None
    internal_key: str = field(default_factory=secrets.token_urlsafe, repr=False)
    figures: list[Callable[[], Awaitable[bytes]]] = field(default_factory=list)


@asynccontextmanager
async def assembled(settings: Settings, parts: Collection[str]) -> AsyncIterator[Assembly]:
    """Open a context in which the parts run; they start in the order of their dependencies, and stop in reverse order.

    Raises:
        ConfigurationError: a part needs another part that is not in this process and has no address in the settings.
        ModelError: the model cannot be loaded.
    """
    async with AsyncExitStack() as stack:
        assembly = Assembly()
        connections = Connections(settings, parts, assembly.apps, stack, internal_key=assembly.internal_key)
        for part in (name for name in (*_SERVICES, "web") if name in parts):
            app = await _make_app(part, settings, parts, connections)
            await stack.enter_async_context(entered([app]))
            assembly.apps[part] = app
        if "data_loader" in parts or "tg_bot" in parts:
            await _start_durable_work(settings, parts, assembly, connections, stack)
        if "web" in parts:
            share(assembly.apps, assembly.figures)
        with _settled():
            yield assembly


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Exclude the objects that exist now from garbage collection while the context is open.

    Hundreds of thousands of objects live as long as the process. If these objects are not excluded, a full garbage
    collection stops the whole process for a third of a second. A full garbage collection happens about every thirty
    messages.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def open_data_loader(settings: Settings) -> AsyncIterator[DataLoaderClient]:
    """Open a context with a client of data_loader for a command.

    If the settings contain an address of data_loader, the client calls this address. Otherwise, it calls the
    data_loader of the server that uses the data directory. If no server uses the data directory, a data_loader runs in
    this process while the context is open.

    Raises:
        DataDirectoryInUseError: a server uses the data directory but has no socket for commands.
    """
    here = [part for part in ("db_assist", "data_loader") if getattr(settings, f"{part}_url") is None]
    if "data_loader" not in here:
        here = []
    async with _reached(settings, "data_loader", here) as (running, connections):
        yield DataLoaderClient(running) if running is not None else await connections.data_loader()


@asynccontextmanager
async def open_db_assist(settings: Settings) -> AsyncIterator[DbAssistClient]:
    """Open a context with a client of db_assist for a command; see `open_data_loader`.

    Raises:
        DataDirectoryInUseError: a server uses the data directory but has no socket for commands.
    """
    here = ["db_assist"] if settings.db_assist_url is None else []
    async with _reached(settings, "db_assist", here) as (running, connections):
        yield DbAssistClient(running) if running is not None else await connections.db_assist()


@asynccontextmanager
async def _reached(
    settings: Settings, part: str, here: Sequence[str]
) -> AsyncIterator[tuple[httpx.AsyncClient | None, Connections]]:
    """Connect to a part of the server that uses the data directory, or start parts in this process.

    The parts in `here` are started if no server uses the data directory. If `here` is empty, this function looks for no
    server and starts nothing.

    Yields:
        Two values. The first is the HTTP client of `part` in the running server; None if `here` is empty or no server
        was found. The second makes clients of the parts in `here`, and of the services that have an address in the
        settings.
    """
    async with AsyncExitStack() as stack:
        apps: dict[str, FastAPI] = {}
        connections = Connections(settings, here, apps, stack, internal_key=secrets.token_urlsafe())
        running = await stack.enter_async_context(control_socket.client_of(settings, part)) if here else None
        if running is None:
            stack.enter_context(held(settings, here, None))
            for name in here:
                apps[name] = await _make_app(name, settings, here, connections)
                await connections.enter(apps[name])
        yield running, connections


async def _make_app(part: str, settings: Settings, parts: Collection[str], connections: Connections) -> FastAPI:
    if part == "web":
        return await _make_page(settings, connections)
    key, previous = key_of(settings, part, parts), previous_key_of(settings, part, parts)
    with _installed(part):
        match part:
            case "nn_service":
                from glas.nn_service.app import create_app as create_nn_service

                return create_nn_service(
                    settings, key=key, previous_key=previous, internal_key=connections.internal_key
                )
            case "db_assist":
                from glas.db_assist.app import create_app as create_db_assist

                return create_db_assist(settings, key=key, previous_key=previous)
            case _:
                from glas.data_loader.app import create_app as create_data_loader

                return create_data_loader(
                    settings, key=key, previous_key=previous, db_assist=await connections.db_assist()
                )


@contextlib.contextmanager
def _installed(part: str) -> Iterator[None]:
    """Name the setting that helps if a package is missing without which a part cannot run in this process.

    Raises:
        ConfigurationError: a package of another project is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("glas"):
            raise
        raise ConfigurationError(
            f"{part} cannot run in this process, because the package {error.name} is not installed. Set "
            f"GLAS_{part.upper()}_URL to the address of a running {part}."
        ) from error


async def _make_page(settings: Settings, connections: Connections) -> FastAPI:
    from glas.launch.samples import samples_dir
    from glas.web.access.secret_key import secret_key
    from glas.web.app import create_app as create_web
    from glas.web.proxy import create_proxy
    from glas.web.site import Services

    api = connections.app("nn_service")
    if api is None:
        api = create_proxy(
            connections.url("nn_service"),
            token=plain(settings.nn_service_token),
            authority=settings.tls.authority,
            key=plain(settings.api_key),
            others=hashed_keys(settings.api_keys),
            cors_origins=listed(settings.cors_origins),
            max_body_bytes=settings.audio.max_upload_mb * MIB,
        )
        await connections.enter(api)
    services = None
    if all(connections.has(part) for part in ("db_assist", "data_loader")):
        services = Services(
            await connections.db_assist(), await connections.data_loader(), await connections.nn_service()
        )
    page = create_web(
        api=api,
        samples_dir=samples_dir(),
        services=services,
        options=settings.web,
        key=None if services is None else secret_key(plain(settings.web.secret_key), settings.data_dir),
        admins=numbers(settings.admin_user_ids),
    )
    if settings.api_key is None and not settings.api_keys:
        page.add_middleware(HostCheck, host=settings.host, allowed=listed(settings.allowed_hosts))
    return page


async def _start_durable_work(
    settings: Settings, parts: Collection[str], assembly: Assembly, connections: Connections, stack: AsyncExitStack
) -> None:
    """Register the durable work of tg_bot and data_loader if they run here; then start the engine for durable work."""
    from glas.durable import Durable

    part: Part = "tg_bot" if "tg_bot" in parts else "data_loader"
    durable = Durable(_place(settings, part), slot=settings.bot.slot or socket.gethostname(), part=part)
    if "data_loader" in parts:
        _schedule_export(settings, durable, assembly.apps["data_loader"])
    if "tg_bot" in parts:
        from glas.tg_bot.app import open_bot
        from glas.tg_bot.services import Services

        services = Services(
            await connections.nn_service(), await connections.db_assist(), await connections.data_loader()
        )
        bot = await stack.enter_async_context(open_bot(settings, services, durable))
        assembly.tasks.append(bot.run)
        assembly.figures.append(bot.figures)
        assembly.has_bot_reached_telegram = lambda: bot.notice.is_taking_in
        if settings.bot.webhook_url is not None:
            from glas.tg_bot.webhook import create_app as create_webhook

            assembly.apps["tg_bot"] = create_webhook(bot)
        if settings.bot.metrics_port is not None:
            from glas.tg_bot.metrics_app import create_app as create_metrics

            assembly.apps[BOT_METRICS] = create_metrics(bot, key=plain(settings.bot.metrics_token))
    stack.push_async_callback(durable.close)
    await durable.start()


def _place(settings: Settings, owner: Part) -> "Place":
    """Return where durable work is stored: in a SQLite file, or in a schema of the PostgreSQL server.

    The file or schema is named after `owner`. If the bot runs in this process, the owner is the bot, even if other
    parts run in this process, too. So the bot finds its waiting messages after a restart, even if the parts are then
    distributed among processes in another way. The work of data_loader need not be found after a restart, because
    data_loader can repeat it.
    """
    from glas.durable import postgres_place, sqlite_place

    is_first = owner == "tg_bot"
    url = plain(settings.database_url)
    if url is None or url.startswith("sqlite"):
        former = settings.data_dir / "durable-data_loader-tg_bot.sqlite" if is_first else None
        return sqlite_place(settings.data_dir / f"durable-{owner}.sqlite", former=former)
    return postgres_place(url, owner, former="data_loader_tg_bot" if is_first else None)


def _schedule_export(settings: Settings, durable: "Durable", data_loader: FastAPI) -> None:
    from glas.durable import Queue, Schedule

    async def export(_scheduled: object, _context: object) -> None:
        with contextlib.suppress(ConflictError):  # an export that somebody requested is running, and does the same
            await data_loader.state.exporter.run()

    durable.workflow(_EXPORT, export)
    durable.queue(Queue(_EXPORTS, 1, one_per_person=False, poll_s=1.0))
    hours = settings.data_loader.export_hours
    if hours:
        durable.schedule(Schedule(_EXPORT, _EXPORT, f"0 0 */{hours} * * *", _EXPORTS))
    else:
        durable.unschedule(_EXPORT)
