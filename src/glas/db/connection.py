"""A connection of asyncpg that tells its socket, which asyncpg itself keeps in a private name."""

from asyncio import Transport
from typing import Any

import asyncpg


class ConnectionWithSocket(asyncpg.Connection):  # type: ignore[misc] # the library's types are incomplete
    """What `asyncpg.connect` makes when it is given this class: it hands the protocol and the transport over."""

    def __init__(self, protocol: Any, transport: Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.transport = transport

    def descriptor(self) -> int:
        """The file descriptor of the socket."""
        number: int = self.transport.get_extra_info("socket").fileno()
        return number
