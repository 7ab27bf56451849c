"""Tell systemd that this process has started, and regularly that it still works.

If a unit sets `WatchdogSec`, systemd restarts a process that has not told this for so long, for example because the
process hangs. The protocol is described in the manual page sd_notify(3) of systemd. Without systemd, the functions of
this module do nothing.
"""

import asyncio
import os
import socket

import structlog

_STARTED, _WORKING = b"READY=1", b"WATCHDOG=1"
_PER_INTERVAL = 3  # so one late or lost message does no harm

_log = structlog.stdlib.get_logger("glas.launch")


def tell_started() -> None:
    """Tell systemd that this process accepts requests."""
    _tell(_STARTED)


async def keep_telling() -> None:
    """Tell systemd, until this coroutine is cancelled, that the event loop of this process runs.

    systemd gives the interval in the environment variable WATCHDOG_USEC, in microseconds. If this variable is missing
    or belongs to another process (WATCHDOG_PID), nothing is told.
    """
    interval_us, pid = os.environ.get("WATCHDOG_USEC", ""), str(os.getpid())
    if not interval_us.isdecimal() or int(interval_us) == 0 or os.environ.get("WATCHDOG_PID", pid) != pid:
        return
    while True:
        _tell(_WORKING)
        await asyncio.sleep(int(interval_us) / 1e6 / _PER_INTERVAL)


def _tell(message: bytes) -> None:
    """Send a message to the socket that systemd names in NOTIFY_SOCKET; an error is only logged."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # the event loop must not wait for systemd
            # A name that begins with @ belongs to a socket without a file (unix(7): abstract).
            sender.sendto(message, f"\0{address[1:]}" if address.startswith("@") else address)
    except OSError as error:
        _log.warning("systemd cannot be told that this process works", error=str(error))
