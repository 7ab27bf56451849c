"""Two releases on one database: processes of both releases, behind balancers, replaced one by one."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.conftest import ROOT
from tests.ports import free_port
from tests.system.balancer import Balancer
from tests.system.processes import Part
from tests.system.worlds import clean_environment
from tests.telegram.server import TelegramServer

BALANCED = ("db_assist", "nn_service")
_PATIENCE_S = 60.0
_LAST_REQUESTS_S = 1.0


@contextmanager
def checkout(revision: str, directory: Path) -> Iterator[Path]:
    """Return the files of an earlier revision from the history of this checkout."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", str(directory), revision], check=True, capture_output=True)
    try:
        yield directory
    finally:
        subprocess.run([*git, "remove", "--force", str(directory)], check=True, capture_output=True)


class Installation:
    """The parts of one installation; each process is of one release, which is a directory with its files."""

    def __init__(self, directory: Path, telegram: TelegramServer, database_url: str) -> None:
        self.balancers = {name: Balancer() for name in BALANCED}
        self.tokens = {name: secrets.token_urlsafe(24) for name in (*BALANCED, "data_loader")}
        self._directory = directory
        self._telegram = telegram
        self._database_url = database_url
        self._ports = {"data_loader": free_port()}
        self._parts: dict[str, tuple[Part, int]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for balancer in self.balancers.values():
            self._stack.enter_context(balancer)
        return self

    def __exit__(self, *_: object) -> None:
        for part, _port in self._parts.values():
            part.kill()
        self._stack.close()

    def migrate(self, release: Path) -> None:
        """Migrate the tables."""
        part = self._part("migrate", release, "migrate", 0, command="migrate", is_once=True)
        part.start()
        part.wait()

    def start(self, name: str, release: Path, place: str) -> None:
        """Start a process of a part under a name such as `db_assist-1`, and wait until it gets requests."""
        port = self._ports.get(name) or free_port()
        part = self._part(name, release, place, port)
        self._parts[place] = part, port
        part.start()
        part.wait()
        if name in BALANCED:
            balancer = self.balancers[name]
            balancer.add(port)
            self._until(lambda: port in balancer.ready, f"{place} ready")

    def stop(self, name: str, place: str) -> None:
        """Send no more requests to a process, then end it."""
        part, port = self._parts.pop(place)
        if name in BALANCED:
            self.balancers[name].remove(port)
            time.sleep(_LAST_REQUESTS_S)
        assert part.stop() == 0, f"expected {place} to end well\n{part.tail()}"

    def replace(self, name: str, release: Path, place: str) -> None:
        """Replace a process by one of another release; a balanced process gets requests before the old one ends."""
        if name in BALANCED:
            self._parts[f"{place}-former"] = self._parts.pop(place)
            self.start(name, release, place)
            self.stop(name, f"{place}-former")
        else:
            self.stop(name, place)
            self.start(name, release, place)

    def tails(self) -> str:
        """Return the last lines of each process."""
        return "\n".join(f"--- {place}\n{part.tail()}" for place, (part, _) in self._parts.items())

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen\n{self.tails()}"
            time.sleep(0.05)

    def _part(
        self, name: str, release: Path, place: str, port: int, *, command: str | None = None, is_once: bool = False
    ) -> Part:
        arguments = [command] if command else ["run", name]
        environment = clean_environment() | self._told(name, place, port) | {"PYTHONPATH": str(release / "src")}
        own = f"{place}-{release.name}"
        return Part(own, [sys.executable, "-m", "glas", *arguments], environment, self._directory, is_once=is_once)

    def _told(self, name: str, place: str, port: int) -> dict[str, str]:
        """Return the variables in the environment of a process."""
        data_dir = self._directory / ("data_loader" if name == "data_loader" else place)
        told = {
            "GLAS_DATA_DIR": str(data_dir),
            "GLAS_DATABASE_URL": self._database_url,
            "GLAS_DATA_LOADER_URL": f"http://127.0.0.1:{self._ports['data_loader']}",
            "GLAS_TELEGRAM_API_URL": self._telegram.url,
            "TELEGRAM_TOKEN": self._telegram.token,
            "GLAS_BOT__SLOT": place,
            "GLAS_LOG__FORMAT": "json",
        }
        told |= {f"GLAS_{one.upper()}_TOKEN": token for one, token in self.tokens.items()}
        told |= {f"GLAS_{one.upper()}_URL": self.balancers[one].url for one in BALANCED}
        if name != "tg_bot" and port:
            del told["TELEGRAM_TOKEN"]
            told[f"GLAS_{name.upper()}__PORT"] = str(port)
        return told
