"""Stand in for the Python of a worker of pytest-xdist: lend it these streams, and wait until it has ended.

The arguments, which are those of a Python, are ignored: `preloaded` has a Python that does the same.
"""

import json
import os
import socket

SOCKET = "SOCKET_OF_WORKERS"
"""Names the socket of the process from which workers are forked."""


def main() -> None:
    """Ask for a worker, and wait for its end."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[SOCKET])
        socket.send_fds(connection, [b"\n"], [0, 1, 2])
        asked = {"directory": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109 - without another import
        connection.sendall(json.dumps(asked).encode() + b"\n")
        for stream in (0, 1):
            os.close(stream)
        connection.recv(1)


if __name__ == "__main__":
    main()
