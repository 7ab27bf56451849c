"""Puts parts together: makes their apps, gives each the clients that it needs, and starts what runs by itself.

A service that runs in this process is reached through its app, any other over TCP at the address in the settings; its
client cannot tell the difference. Parts are imported when they are made: aiogram alone takes seconds, and a process
that runs the recogniser needs neither it nor a database.
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
from glas.domain.errors import ConflictError
from glas.launch import side_door
from glas.launch.doors import key_of
from glas.launch.lock import held
from glas.launch.reach import Reach, entered
from glas.serving.hosts import HostCheck
from glas.settings import MIB, Settings, listed, numbers, plain
from glas.settings.keys import hashed_keys

if TYPE_CHECKING:
    from glas.durable import Durable, Place

_SERVICES = ("nn_service", "db_assist", "data_loader")
_EXPORT, _EXPORTS = "export", "exports"


@dataclass
class Assembly:
    """Parts that are up.

    Attributes:
        apps: each service's app, and `web`'s page.
        tasks: what runs by itself until it is cancelled, such as the bot.
        has_bot_reached_telegram: tells whether Telegram has answered the bot yet; None where no bot runs.
        internal_key: opens nn_service for this process alone, for as long as it lives.
    """

    apps: dict[str, FastAPI] = field(default_factory=dict)
    tasks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    has_bot_reached_telegram: Callable[[], bool] | None = None
    internal_key: str = field(default_factory=secrets.token_urlsafe, repr=False)


@asynccontextmanager
async def assembled(settings: Settings, parts: Collection[str]) -> AsyncIterator[Assembly]:
    """Bring parts up, in the order in which they need each other; on the way out, down in the opposite order.

    Raises:
        ConfigurationError: a part needs another that is neither here nor has an address.
        ModelError: the model cannot be loaded.
    """
    async with AsyncExitStack() as stack:
        assembly = Assembly()
        reach = Reach(settings, parts, assembly.apps, stack, internal_key=assembly.internal_key)
        for part in (name for name in (*_SERVICES, "web") if name in parts):
            app = await _make(part, settings, parts, reach)
            await stack.enter_async_context(entered([app]))
            assembly.apps[part] = app
        if "data_loader" in parts or "tg_bot" in parts:
            await _start_durable_work(settings, parts, assembly, reach, stack)
        with _settled():
            yield assembly


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Keep what lives as long as the process out of the garbage collector's sight.

    It is hundreds of thousands of objects; every look at them stopped all work for a third of a second, once for some
    thirty messages.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def open_data_loader(settings: Settings) -> AsyncIterator[DataLoaderClient]:
    """A data_loader for one command: one brought up here for as long as it takes, unless there is one already.

    That is the one that the settings name, or that of a server which works in the data directory now.

    Raises:
        DataDirectoryInUseError: a server works in the data directory and lets nobody in.
    """
    here = [part for part in ("db_assist", "data_loader") if getattr(settings, f"{part}_url") is None]
    if "data_loader" not in here:
        here = []
    async with _reached(settings, "data_loader", here) as (running, reach):
        yield DataLoaderClient(running) if running is not None else await reach.data_loader()


@asynccontextmanager
async def open_db_assist(settings: Settings) -> AsyncIterator[DbAssistClient]:
    """A db_assist for one command; see `open_data_loader`.

    Raises:
        DataDirectoryInUseError: a server works in the data directory and lets nobody in.
    """
    here = ["db_assist"] if settings.db_assist_url is None else []
    async with _reached(settings, "db_assist", here) as (running, reach):
        yield DbAssistClient(running) if running is not None else await reach.db_assist()


@asynccontextmanager
async def _reached(
    settings: Settings, part: str, here: Sequence[str]
) -> AsyncIterator[tuple[httpx.AsyncClient | None, Reach]]:
    """Give a client of the part in a server that works in the data directory; else bring up the parts `here`.

    The first value is None where the parts were brought up, and the second one reaches them.
    """
    async with AsyncExitStack() as stack:
        apps: dict[str, FastAPI] = {}
        reach = Reach(settings, here, apps, stack, internal_key=secrets.token_urlsafe())
        running = await stack.enter_async_context(side_door.client_of(settings, part)) if here else None
        if running is None:
            stack.enter_context(held(settings, here, None))
            for name in here:
                apps[name] = await _make(name, settings, here, reach)
                await reach.enter(apps[name])
        yield running, reach


async def _make(part: str, settings: Settings, parts: Collection[str], reach: Reach) -> FastAPI:
    match part:
        case "nn_service":
            from glas.nn_service.app import create_app as create_nn_service

            return create_nn_service(settings, key=key_of(settings, part, parts), internal_key=reach.internal_key)
        case "db_assist":
            from glas.db_assist.app import create_app as create_db_assist

            return create_db_assist(settings, key=key_of(settings, part, parts))
        case "data_loader":
            from glas.data_loader.app import create_app as create_data_loader

            return create_data_loader(settings, key=key_of(settings, part, parts), db_assist=await reach.db_assist())
        case _:
            return await _make_page(settings, reach)


async def _make_page(settings: Settings, reach: Reach) -> FastAPI:
    from glas.launch.samples import samples_dir
    from glas.web.access.secret_key import secret_key
    from glas.web.app import create_app as create_web
    from glas.web.proxy import create_proxy
    from glas.web.site import Services

    api = reach.app("nn_service")
    if api is None:
        api = create_proxy(
            reach.url("nn_service"),
            token=plain(settings.nn_service_token),
            key=plain(settings.api_key),
            others=hashed_keys(settings.api_keys),
            cors_origins=listed(settings.cors_origins),
            max_body_bytes=settings.audio.max_upload_mb * MIB,
        )
        await reach.enter(api)
    services = None
    if all(reach.has(part) for part in ("db_assist", "data_loader")):
        services = Services(await reach.db_assist(), await reach.data_loader(), await reach.nn_service())
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
    settings: Settings, parts: Collection[str], assembly: Assembly, reach: Reach, stack: AsyncExitStack
) -> None:
    """Register the work of the parts that have some, then start the engine once for all of them."""
    from glas.durable import Durable

    durable = Durable(_place(settings, parts), slot=settings.bot.slot or socket.gethostname())
    if "data_loader" in parts:
        _schedule_export(settings, durable, assembly.apps["data_loader"])
    if "tg_bot" in parts:
        from glas.tg_bot.app import Services, open_bot

        services = Services(await reach.nn_service(), await reach.db_assist(), await reach.data_loader())
        bot = await stack.enter_async_context(open_bot(settings, services, durable))
        assembly.tasks.append(bot.run)
        assembly.has_bot_reached_telegram = lambda: bot.notice.is_taking_in
        if settings.bot.webhook_url is not None:
            from glas.tg_bot.webhook import create_app as create_webhook

            assembly.apps["tg_bot"] = create_webhook(bot)
    stack.push_async_callback(durable.close)
    await durable.start()


def _place(settings: Settings, parts: Collection[str]) -> "Place":
    """A file in the embedded mode; a schema where processes share a PostgreSQL server.

    It belongs to the bot wherever the bot runs, alone or beside others: what people sent must be found again when the
    parts are divided otherwise. What data_loader does by itself can be done anew anywhere.
    """
    from glas.durable import postgres_place, sqlite_place

    owner = "tg_bot" if "tg_bot" in parts else "data_loader"
    is_first = owner == "tg_bot"
    url = plain(settings.database_url)
    if url is None or url.startswith("sqlite"):
        former = settings.data_dir / "durable-data_loader-tg_bot.sqlite" if is_first else None
        return sqlite_place(settings.data_dir / f"durable-{owner}.sqlite", former=former)
    return postgres_place(url, owner, former="data_loader_tg_bot" if is_first else None)


def _schedule_export(settings: Settings, durable: "Durable", data_loader: FastAPI) -> None:
    from glas.durable import Queue, Schedule

    async def export(_scheduled: object, _context: object) -> None:
        with contextlib.suppress(ConflictError):  # one that somebody asked for is running: it does the same
            await data_loader.state.exporter.run()

    durable.workflow(_EXPORT, export)
    durable.queue(Queue(_EXPORTS, 1, one_per_person=False, poll_s=1.0))
    hours = settings.data_loader.export_hours
    if hours:
        durable.schedule(Schedule(_EXPORT, _EXPORT, f"0 0 */{hours} * * *", _EXPORTS))
    else:
        durable.unschedule(_EXPORT)
