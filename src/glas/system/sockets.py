"""Check whether a socket has input; end connections whose other side no longer answers."""

import select
import socket
from typing import Final

# If the other machine loses its power or its network, it does not close its connections. By default, Linux then waits
# a quarter of an hour until sent data is acknowledged, and waits for an answer without a limit. With these values, a
# connection ends after at most 15 seconds without any packet from the other machine.
IDLE_S = 5
INTERVAL_S = 3
PROBES = 3
UNACKNOWLEDGED_MS = 10_000
# The same for PostgreSQL's end of a connection, as settings of a session. Without them, PostgreSQL may keep the
# transaction of a machine that lost its power, with its locks, for two hours.
POSTGRESQL_SETTINGS: Final = {
    "tcp_keepalives_idle": str(IDLE_S),
    "tcp_keepalives_interval": str(INTERVAL_S),
    "tcp_keepalives_count": str(PROBES),
    "tcp_user_timeout": str(UNACKNOWLEDGED_MS),
}


def has_input(descriptor: int) -> bool:
    """Return whether a socket has unread input: data, or the end of the connection."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def silence_options() -> list[tuple[int, int, int]]:
    """Return options for `setsockopt` that end a TCP connection if the other machine no longer answers.

    With these options, the operating system sends keep-alive probes, and the operating system of the other machine
    answers these probes. So a connection stays open even if the program on the other machine needs a long time for its
    answer.
    """
    # Other systems than Linux have only some of them.
    values = {
        "TCP_KEEPIDLE": IDLE_S,
        "TCP_KEEPINTVL": INTERVAL_S,
        "TCP_KEEPCNT": PROBES,
        "TCP_USER_TIMEOUT": UNACKNOWLEDGED_MS,
    }
    found = [(getattr(socket, name), value) for name, value in values.items() if hasattr(socket, name)]
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *((socket.IPPROTO_TCP, option, value) for option, value in found),
    ]
