"""Free ports of loopback, which no other process gets meanwhile."""

import itertools
import os
import re
import socket

# Below the range from which Linux takes ports for whoever asks for any, so that between the look and the use no other
# process is given the same one; each worker of pytest-xdist has a part of its own.
_FIRST, _OF_EACH = 12_000, 2_000
_numbers = itertools.count(os.getpid())


def free_port() -> int:
    """Return a free port; each call returns another port until all ports were returned."""
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
    for _ in range(_OF_EACH):
        port = _FIRST + worker % 9 * _OF_EACH + next(_numbers) % _OF_EACH
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"expected a free port among {_OF_EACH}, found none")
