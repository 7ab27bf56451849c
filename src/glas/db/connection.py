"""A connection of asyncpg with a public method for its socket; asyncpg has only a private attribute."""

from asyncio import Transport
from typing import Any

import asyncpg


class ConnectionWithSocket(asyncpg.Connection):  # type: ignore[misc] # the library's types are incomplete
    """A connection that keeps its transport; pass this class to `asyncpg.connect` as `connection_class`."""

    def __init__(self, protocol: Any, transport: Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.transport = transport

    def descriptor(self) -> int:
        """Return the file descriptor of the socket."""
        number: int = self.transport.get_extra_info("socket").fileno()
        return number
