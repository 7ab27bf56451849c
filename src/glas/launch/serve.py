"""Run parts until this process receives a signal to stop; then wait until running requests have ended."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

import glas
from glas import tracing
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConfigurationError, GlasError
from glas.domain.transcription import Recognition
from glas.launch import control_socket, watchdog
from glas.launch.assembly import Assembly, assembled
from glas.launch.listeners import listeners, opened, require_certificate, url_of, with_page_address
from glas.launch.lock import held
from glas.launch.samples import samples_dir
from glas.settings import Settings, TlsSettings

_CHECK_TIMEOUT_S = 120.0
# Telegram usually answers in a tenth of a second. The start must not wait long if it cannot be reached.
_TELEGRAM_S = 3.0

_log = structlog.stdlib.get_logger("glas.launch")


@dataclass(frozen=True)
class Check:
    """The recognition of a sample recording when the server starts."""

    sample: Path
    heard: Recognition


@dataclass(frozen=True)
class Ready:
    """Report about the start of the parts, made when all parts accept requests.

    Attributes:
        urls: addresses of the parts that listen on a port, by the name of the part.
        parts: names of all parts that run.
        model: name of the default model; None if nn_service does not run in this process.
        check: the recognition of a sample recording; None if no sample was recognised.
        problem: the reason why the sample could not be recognised; None if there was no error.
        is_bot_heard: whether a bot runs in this process and Telegram has answered one of the bot's requests.
    """

    urls: dict[str, str]
    parts: tuple[str, ...]
    model: str | None = None
    check: Check | None = None
    problem: str | None = None
    is_bot_heard: bool = False


async def serve(settings: Settings, parts: Collection[str], on_ready: Callable[[Ready], None]) -> None:
    """Run parts until the process receives SIGINT or SIGTERM, then finish the running requests.

    Raises:
        ConfigurationError: a part is unknown or needs another part, a port is in use, or a port could be reached from
            other machines without an API key.
        DataDirectoryInUseError: another server uses the data directory.
        ModelError: the model cannot be loaded.
    """
    with _called_off_by_signals():
        await _serve(settings, parts, on_ready)
    _log.info("stopped", parts=", ".join(parts))


async def _serve(settings: Settings, parts: Collection[str], on_ready: Callable[[Ready], None]) -> None:
    planned = listeners(settings, parts)
    require_certificate(settings.tls)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(opened(settings, listener)) for listener in planned]
        urls = {listener.part: url_of(settings, sock) for listener, sock in zip(planned, sockets, strict=True)}
        settings = with_page_address(settings, urls)
        stack.enter_context(_traced(settings))
        stack.enter_context(held(settings, parts, next(iter(urls.values()), None)))
        side = stack.enter_context(control_socket.opened(settings, parts))
        async with assembled(settings, parts) as assembly:
            servers = [_Server(_config(assembly.apps[listener.part], settings.tls)) for listener in planned]
            if side is not None:
                servers.append(_Server(_config(control_socket.make_app(assembly.apps))))
                sockets.append(side)

            async def greet() -> None:
                while not all(server.started or server.should_exit for server in servers):  # noqa: ASYNC110 - a flag
                    await asyncio.sleep(0.01)
                on_ready(await _recognise_sample(parts, assembly, urls))
                watchdog.tell_started()

            work = [server.serve(sockets=[sock]) for server, sock in zip(servers, sockets, strict=True)]
            beside = [*(task() for task in assembly.tasks), watchdog.keep_telling()]
            with _stopped_by_signals(servers) as stopped:
                await _run_all([*work, greet()], beside, stopped)


def _traced(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """Open a context in which traces are recorded, if the settings name a collector of traces.

    Raises:
        ConfigurationError: the packages for traces are not installed.
    """
    told = settings.tracing
    try:
        return tracing.exporting(told.endpoint, ratio=told.ratio, version=glas.__version__)
    except ImportError as error:
        raise ConfigurationError(
            f"GLAS_TRACING__ENDPOINT needs packages that are not installed ({error.name}); install the extra `tracing`"
        ) from error


def _config(app: FastAPI, tls: TlsSettings | None = None) -> uvicorn.Config:
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, server_header=False)
    if tls is not None:
        config.ssl_certfile, config.ssl_keyfile = tls.certificate, tls.key
    return config


class _Server(uvicorn.Server):
    """A server that does not handle signals, because several servers run in one process and stop together.

    `_stopped_by_signals` handles the signals for all servers.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _called_off_by_signals() -> Iterator[None]:
    """Open a context in which a signal to stop cancels the current task, so that the started parts are stopped."""
    loop, task, received = asyncio.get_running_loop(), asyncio.current_task(), list[signal.Signals]()
    assert task is not None, "expected to be run as a task"  # noqa: S101

    def call_off(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, call_off, number)
    try:
        yield
    except asyncio.CancelledError:
        if not received:
            raise
        task.uncancel()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _stopped_by_signals(servers: Sequence[uvicorn.Server]) -> Iterator[asyncio.Event]:
    """Open a context in which the servers stop when the process receives SIGINT or SIGTERM.

    After the first signal, running requests are finished. After a second SIGINT, running requests are interrupted.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(received: signal.Signals) -> None:
        stopped.set()
        for server in servers:
            server.handle_exit(received, None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _run_all(
    serving: Sequence[Coroutine[Any, Any, None]], working: Sequence[Awaitable[None]], stopped: asyncio.Event
) -> None:
    """Serve until the process receives a signal and running requests have ended; then cancel the background tasks.

    If a background task fails while the parts run, all parts stop, and the error of the task is raised.
    """
    async with asyncio.TaskGroup() as group:
        served = [group.create_task(one) for one in serving]
        tasks = [group.create_task(_forever(one)) for one in working]
        await stopped.wait()
        await asyncio.gather(*served)
        for task in tasks:
            task.cancel()


async def _forever(work: Awaitable[None]) -> None:
    await work


async def _recognise_sample(parts: Collection[str], assembly: Assembly, urls: dict[str, str]) -> Ready:
    """Recognise a sample recording, to show that the program works.

    If the recognition fails, the report contains the problem, and the parts continue to run.
    """
    ready = Ready(urls, tuple(parts), is_bot_heard=await _is_reached(assembly.has_bot_reached_telegram))
    recogniser = assembly.apps.get("nn_service")
    if recogniser is None:
        return ready
    client = NnServiceClient(open_http(url=None, app=recogniser, token=assembly.internal_key))
    try:
        ready = replace(ready, model=(await client.health()).model)
        directory = samples_dir()
        sample = min(directory.glob("*.ogg"), default=None) if directory else None
        if sample is None:
            return ready
        data = await asyncio.to_thread(sample.read_bytes)
        heard = await client.transcribe(data, timeout_s=_CHECK_TIMEOUT_S)
        return replace(ready, check=Check(sample, heard))
    except GlasError as error:
        return replace(ready, problem=str(error))
    finally:
        await client.close()


async def _is_reached(is_reached: Callable[[], bool] | None) -> bool:
    """Return whether Telegram has answered the bot; wait for an answer at most `_TELEGRAM_S` seconds.

    If no bot runs in this process, `is_reached` is None, and the result is False.
    """
    if is_reached is None:
        return False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TELEGRAM_S):
            while not is_reached():  # noqa: ASYNC110 - a flag
                await asyncio.sleep(0.05)
    return is_reached()
