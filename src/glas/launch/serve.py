"""Starts any set of parts in this process, chooses the transport between them, and stops them gently.

With `web` there is one listener: its pages, and nn_service's own app mounted under them (or a proxy to it, when it runs
elsewhere). Without `web` each part listens on its own port.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConfigurationError, GlasError
from glas.domain.transcription import Recognition
from glas.launch import PARTS
from glas.launch.samples import samples_dir
from glas.nn_service.app import create_app as create_nn_service
from glas.settings import MIB, Settings, is_loopback, plain
from glas.web.app import create_app as create_web
from glas.web.proxy import create_proxy

_CHECK_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Listener:
    """One app on one port."""

    part: str
    app: FastAPI
    port: int


@dataclass(frozen=True)
class Check:
    """What was heard in a sample at the start."""

    sample: Path
    heard: Recognition


@dataclass(frozen=True)
class Ready:
    """Told once everything answers."""

    urls: dict[str, str]
    model: str | None = None
    check: Check | None = None
    problem: str | None = None


async def serve(settings: Settings, parts: Collection[str], on_ready: Callable[[Ready], None]) -> None:
    """Run parts until SIGINT or SIGTERM; requests that are running then are finished first.

    Raises:
        ConfigurationError: a part is unknown, a port is taken, or a listener would be open to strangers.
        ModelError: the model cannot be loaded.
    """
    plan = _plan(settings, parts)
    with contextlib.ExitStack() as sockets_open:
        sockets = [
            sockets_open.enter_context(contextlib.closing(_bind(settings.host, one.port))) for one in plan.listeners
        ]
        async with entered(plan.apps):
            await _run(settings, plan, sockets, on_ready)


@asynccontextmanager
async def entered(apps: Sequence[FastAPI]) -> AsyncIterator[None]:
    """Enter the lifespans of apps; neither a mount nor an in-process transport does."""
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


@dataclass(frozen=True)
class _Plan:
    listeners: list[Listener]
    apps: list[FastAPI]
    recogniser: FastAPI | None
    key: str | None


def _plan(settings: Settings, parts: Collection[str]) -> _Plan:
    """Which apps are made and which of them listen."""
    if unknown := sorted(set(parts) - set(PARTS)):
        raise ConfigurationError(f"expected parts among {', '.join(PARTS)}, got {', '.join(unknown)}")
    with_web = "web" in parts
    key, key_variable = (
        (settings.api_key, "GLAS_API_KEY") if with_web else (settings.nn_service_token, "GLAS_NN_SERVICE_TOKEN")
    )
    if not is_loopback(settings.host) and key is None:
        raise ConfigurationError(
            f"{settings.host} can be reached from other machines, so a key is required: set {key_variable} to one "
            "made by python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    recogniser = create_nn_service(settings, key=plain(key)) if "nn_service" in parts else None
    if not with_web:
        listeners = [Listener("nn_service", recogniser, settings.nn_service.port)] if recogniser else []
        return _Plan(listeners, [recogniser] if recogniser else [], recogniser, plain(key))
    api = recogniser or _elsewhere(settings)
    page = create_web(api=api, samples_dir=samples_dir())
    if is_loopback(settings.host):
        # A foreign page whose name resolves to 127.0.0.1 must not read answers (DNS rebinding).
        page.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]", settings.host])
    return _Plan([Listener("web", page, settings.port)], [api, page], recogniser, plain(key))


def _elsewhere(settings: Settings) -> FastAPI:
    """The API of an nn_service in another process."""
    if settings.nn_service_url is None:
        raise ConfigurationError(
            "expected an nn_service for the page: run it too (glas run), or say where it is (GLAS_NN_SERVICE_URL)"
        )
    return create_proxy(
        settings.nn_service_url,
        token=plain(settings.nn_service_token),
        key=plain(settings.api_key),
        max_body_bytes=settings.audio.max_upload_mb * MIB,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}); is Glas running already? "
            "Another port: GLAS_PORT=8080 (GLAS_NN_SERVICE__PORT for nn_service alone)"
        ) from error
    return sock


class _Server(uvicorn.Server):
    """A server among others: signals are handled once, for all of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(
    settings: Settings, plan: _Plan, sockets: Sequence[socket.socket], on_ready: Callable[[Ready], None]
) -> None:
    servers = [
        _Server(uvicorn.Config(one.app, lifespan="off", log_config=None, access_log=False, server_header=False))
        for one in plan.listeners
    ]
    with _stop_on_signal(servers):
        async with asyncio.TaskGroup() as group:
            for server, sock in zip(servers, sockets, strict=True):
                group.create_task(server.serve(sockets=[sock]))
            while not all(server.started or server.should_exit for server in servers):  # noqa: ASYNC110 - only a flag
                await asyncio.sleep(0.01)
            urls = {
                one.part: _url(settings.host, sock.getsockname()[1])
                for one, sock in zip(plan.listeners, sockets, strict=True)
            }
            on_ready(await _check(plan, urls))


@contextlib.contextmanager
def _stop_on_signal(servers: Sequence[uvicorn.Server]) -> Iterator[None]:
    """The first signal lets running requests finish; a second SIGINT does not wait for them."""
    loop = asyncio.get_running_loop()

    def stop(received: signal.Signals) -> None:
        for server in servers:
            server.handle_exit(received, None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _check(plan: _Plan, urls: dict[str, str]) -> Ready:
    """Let the program hear a sample, so that one sees at once that it works; a failure is told, not fatal."""
    if plan.recogniser is None:
        return Ready(urls)
    client = NnServiceClient(open_http(url=None, app=plan.recogniser, token=plan.key))
    model = None
    try:
        model = (await client.health()).model
        directory = samples_dir()
        sample = min(directory.glob("*.ogg"), default=None) if directory else None
        if sample is None:
            return Ready(urls, model)
        data = await asyncio.to_thread(sample.read_bytes)
        return Ready(urls, model, Check(sample, await client.transcribe(data, timeout_s=_CHECK_TIMEOUT_S)))
    except GlasError as error:
        return Ready(urls, model, problem=str(error))
    finally:
        await client.close()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
