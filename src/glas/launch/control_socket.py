"""Open a Unix socket in the data directory, through which commands on this machine call a running server.

In the embedded mode db_assist and data_loader have no port, and no other process may open the database or the objects
while the server runs. Only the owner of the data directory may connect to the socket.
"""

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import structlog
from fastapi import FastAPI

from glas.clients.http import open_http
from glas.launch.lock import holder_of, is_alone
from glas.settings import Settings, plain

NAME: Final = "glas.sock"
PARTS: Final = ("db_assist", "data_loader")

_BEHIND: Final = 16
# The kernel's limit for the path of a socket is 108 bytes (Linux), 104 (macOS).
_MAX_PATH_BYTES: Final = 100

_log = structlog.stdlib.get_logger("glas.launch")


@contextlib.contextmanager
def opened(settings: Settings, parts: Collection[str]) -> Iterator[socket.socket | None]:
    """Open a context with the listening socket, if this process has the exclusive lock of the data directory.

    Yields:
        The socket. None if this process does not have the exclusive lock, or if the system does not permit a socket in
        this directory.
    """
    if not is_alone(settings, parts):
        yield None
        return
    with _short(settings.data_dir) as directory, contextlib.ExitStack() as stack:
        path = directory / NAME
        # This process holds the lock, so a socket that exists was left behind by a process that was killed.
        path.unlink(missing_ok=True)
        made = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
        listener: socket.socket | None = made
        umask = os.umask(0o177)
        try:
            made.bind(str(path))
        except OSError as error:
            _log.warning("commands cannot reach this server by a socket", reason=str(error))
            listener = None
        finally:
            os.umask(umask)
        if listener is not None:
            made.listen(_BEHIND)
            stack.callback(path.unlink, missing_ok=True)
        yield listener


def make_app(apps: Mapping[str, FastAPI]) -> FastAPI:
    """Make an app that serves each service under a path with its name, such as `/db_assist`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for part in PARTS:
        app.mount(f"/{part}", apps[part])
    return app


@asynccontextmanager
async def client_of(settings: Settings, part: str) -> AsyncIterator[httpx.AsyncClient | None]:
    """Open a context with a client that calls a service of a running server through the socket.

    Yields:
        The client; None if no server has the exclusive lock of the data directory, or if there is no socket.
    """
    if not (settings.data_dir / NAME).exists() or holder_of(settings.data_dir) is None:
        yield None
        return
    token = plain(getattr(settings, f"{part}_token"))
    with _short(settings.data_dir) as directory:
        async with open_http(url=f"http://control-socket/{part}", token=token, socket_path=directory / NAME) as http:
            yield http


@contextlib.contextmanager
def _short(directory: Path) -> Iterator[Path]:
    """Open a context with a path of the directory that is short enough for the address of a socket.

    If the directory's own path is too long, the result is a path in `/proc/self/fd` that leads to the directory.
    """
    descriptors = Path("/proc/self/fd")
    if len(os.fsencode(directory.absolute())) + len(NAME) < _MAX_PATH_BYTES or not descriptors.exists():
        yield directory.absolute()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptors / str(descriptor)
    finally:
        os.close(descriptor)
