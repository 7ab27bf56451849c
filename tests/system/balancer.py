"""A balancer of TCP connections: each connection goes to a server that reports that it is ready, as in Kubernetes."""

import asyncio
import itertools
import threading
from contextlib import suppress
from typing import Self

import httpx

_LOOK_S = 0.25
_BLOCK_BYTES = 65_536


class Balancer:
    """Listens on a port of loopback in a separate thread while its context is open."""

    def __init__(self) -> None:
        self.url = ""
        self.n_without = 0
        """Connections for which no server was ready."""
        self._servers: list[int] = []
        self._ready: list[int] = []
        self._turns = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._is_listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def add(self, port: int) -> None:
        """Send connections to a server while it is ready."""
        self._servers.append(port)

    def remove(self, port: int) -> None:
        """Send no further connections to a server."""
        self._servers.remove(port)
        self._ready = [one for one in self._ready if one != port]

    @property
    def ready(self) -> list[int]:
        """Return the ports of the servers that were ready at the last check."""
        return list(self._ready)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._pass_on, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        looking = self._loop.create_task(self._look())
        self._is_listening.set()
        self._loop.run_forever()
        server.close()
        left = {looking, *asyncio.all_tasks(self._loop)}
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))  # the closed connections end in the next round of the loop
        self._loop.close()

    async def _look(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while True:
                servers = list(self._servers)
                found = await asyncio.gather(*(_is_ready(http, port) for port in servers))
                self._ready = [port for port, is_ready in zip(servers, found, strict=True) if is_ready]
                self._ready = [port for port in self._ready if port in self._servers]
                await asyncio.sleep(_LOOK_S)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._ready:
            self.n_without += 1
            writer.close()
            return
        port = self._ready[next(self._turns) % len(self._ready)]
        try:
            theirs = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, theirs[1]), _copy(theirs[0], writer))


async def _is_ready(http: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await http.get(f"http://127.0.0.1:{port}/ready")).is_success
    except httpx.HTTPError:
        return False


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while block := await reader.read(_BLOCK_BYTES):
                writer.write(block)
                await writer.drain()
    finally:
        writer.close()
