"""Run the imitation of Telegram for a bot that is started by hand: `python -m tests.telegram --listen HOST:PORT`."""

import argparse
import contextlib
import socket
import threading

from tests.telegram.server import TelegramServer


def main() -> None:
    """Serve until Ctrl+C, and print the settings with which a bot uses this server."""
    parser = argparse.ArgumentParser(prog="python -m tests.telegram", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8081", metavar="HOST:PORT")
    host, _, port = parser.parse_args().listen.rpartition(":")
    with socket.create_server((host, int(port))) as listener, TelegramServer(listener=listener) as telegram:
        print(f"GLAS_TELEGRAM_API_URL={telegram.url} TELEGRAM_TOKEN={telegram.token}", flush=True)  # noqa: T201 - a program
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
