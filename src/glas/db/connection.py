"""Open connections to PostgreSQL with asyncpg. If the server stops answering, the connections are closed.

If the URL of the database names several servers, the first server that accepts writes is used.
"""

import socket
import ssl
from asyncio import Transport
from typing import Any, Final

import asyncpg
from asyncpg.exceptions import CannotConnectNowError, TargetServerAttributeNotMatched, TooManyConnectionsError

from glas.system.sockets import silence_options

# Errors that end by themselves: the server starts, recovers or stops, or has no free connection.
_PASSING: Final = (CannotConnectNowError, TooManyConnectionsError)


class ConnectionWithSocket(asyncpg.Connection):  # type: ignore[misc] # the library's types are incomplete
    """A connection with a public property for its socket; asyncpg's own connection has only a private attribute."""

    def __init__(self, protocol: Any, transport: Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.transport = transport
        # asyncpg has no setting for these options of the socket.
        own = transport.get_extra_info("socket")
        if own.family != socket.AF_UNIX:
            for option in silence_options():
                own.setsockopt(*option)

    def descriptor(self) -> int:
        """Return the file descriptor of the socket."""
        number: int = self.transport.get_extra_info("socket").fileno()
        return number


async def connect(
    *,
    host: str | list[str] | None = None,
    port: int | list[int] | None = None,
    sslmode: str | None = None,
    sslrootcert: str | None = None,
    **options: Any,
) -> asyncpg.Connection:
    """Connect to the first server in `host` that can be used.

    The arguments in `options` are passed to `asyncpg.connect`. `sslmode` and `sslrootcert` are parameters of the URL as
    in libpq, see `_tls`.

    Each server gets its own time limit. asyncpg itself has only one time limit for all servers together. A server that
    does not answer would use up this common limit.

    Raises:
        OSError: the last server cannot be reached, or it accepts no writes although `options` require this.
        asyncpg.PostgresError: the last server accepts no connections at the moment.
    """
    hosts = host if isinstance(host, list) else [host]
    ports = port if isinstance(port, list) else [port] * len(hosts)
    reason: Exception | None = None
    if sslmode is not None:
        options["ssl"] = _tls(sslmode, sslrootcert)
    for one_host, one_port in zip(hosts, ports, strict=True):
        try:
            return await asyncpg.connect(host=one_host, port=one_port, connection_class=ConnectionWithSocket, **options)
        except (OSError, *_PASSING) as error:
            reason = error
        except TargetServerAttributeNotMatched:
            # asyncpg treats this as a wrong use. Here, the server is a replica that has not become the primary server
            # yet.
            reason = ConnectionError(f"expected a server that accepts writes at {one_host}, got a replica")
    assert reason is not None, "expected a server to connect to"  # noqa: S101
    raise reason


def _tls(mode: str, authority: str | None) -> ssl.SSLContext | str:
    """Return the TLS settings for asyncpg; asyncpg itself has no parameter for a file with certificates.

    Args:
        mode: `sslmode` of libpq. Only `verify-ca` and `verify-full` check the certificate of the server, and only
            `verify-full` checks the name of the server.
        authority: file (PEM) with certificates of authorities; None means the public authorities.

    Raises:
        OSError: the file cannot be read, or holds no certificates.
    """
    if mode not in ("verify-ca", "verify-full"):
        return mode
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = mode == "verify-full"
    return context
