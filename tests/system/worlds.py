"""The whole system as processes, in two worlds: everything in one, or each part apart over PostgreSQL and SeaweedFS."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import SecretStr
from structlog.testing import capture_logs

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.launch.assembly import assembled
from glas.settings import Settings
from tests.conftest import Postgres
from tests.seaweed import Seaweed
from tests.telegram.server import TelegramServer

READY = "Ctrl+C"
_START_S, _STOP_S, _QUIET_S = 60.0, 40.0, 120.0
_TAIL_CHARS = 4000
_SERVICES = ("nn_service", "db_assist", "data_loader")


class Doors(NamedTuple):
    """Clients of the two services that know everything."""

    db_assist: DbAssistClient
    data_loader: DataLoaderClient


@dataclass
class Part:
    """One `glas` process; what it says goes into a file, over all its starts."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    directory: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """All that it has said."""
        return self.directory / f"{self.name}.log"

    def start(self) -> None:
        """Start it; `wait` tells when it is ready."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "glas", *self.command],
                env=self.environment,
                cwd=self.directory,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Wait for its greeting."""
        deadline = time.monotonic() + _START_S
        while READY.encode() not in self.log.read_bytes()[self._said_before :]:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.tail()}"
            assert time.monotonic() < deadline, f"{self.name} does not greet:\n{self.tail()}"
            time.sleep(0.05)

    def stop(self) -> int:
        """End it gently; gives its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """What it said last."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_TAIL_CHARS:] if self.log.exists() else ""


@dataclass
class World:
    """The system, its Telegram, and ways to look into it.

    Attributes:
        telegram: where people are.
        directory: everything that the processes write, logs included.
        settings: where the data lies, as the parts are told it.
        durable_url: the database of the bot's durable work.
        parts: the processes in the order of their start; each batch is started at once.
        secrets: what must stand nowhere.
        is_apart: the services answer over TCP.
    """

    telegram: TelegramServer
    directory: Path
    settings: Settings
    durable_url: str
    parts: list[list[Part]]
    is_apart: bool
    secrets: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start every process."""
        for batch in self.parts:
            for part in batch:
                part.start()
            for part in batch:
                part.wait()

    def stop(self) -> None:
        """End every process gently, in the opposite order."""
        for batch in reversed(self.parts):
            codes = {part.name: part.stop() for part in batch}
            assert set(codes.values()) == {0}, f"expected all to end well, got {codes}\n{self.tails()}"

    def part(self, name: str) -> Part:
        """A process by its name."""
        return next(part for batch in self.parts for part in batch if part.name == name)

    def tails(self) -> str:
        """What each process said last, for whoever reads a failure."""
        return "\n".join(f"--- {part.name}\n{part.tail()}" for batch in self.parts for part in batch)

    def rest(self) -> None:
        """Wait until the bot has nothing left to do, archiving included."""
        deadline = time.monotonic() + _QUIET_S
        while left := self.left():
            assert time.monotonic() < deadline, f"work is left: {left[:10]}\n{self.tails()}"
            time.sleep(0.1)

    def left(self) -> list[str]:
        """Work of the bot that waits or runs: its state, its name, and how often it was begun."""
        query = (
            "SELECT status || ' ' || workflow_uuid || ' ' || recovery_attempts FROM workflow_status "
            "WHERE status IN ('ENQUEUED', 'PENDING')"
        )
        engine = sa.create_engine(self.durable_url)
        try:
            return self._asked(engine, query)
        finally:
            engine.dispose()

    def work_of(self, person: int) -> list[str]:
        """What the durable engine remembers of a person."""
        engine = sa.create_engine(self.durable_url)
        try:
            return self._asked(
                engine, "SELECT workflow_uuid FROM workflow_status WHERE authenticated_user = :p", person
            )
        finally:
            engine.dispose()

    def _asked(self, engine: sa.Engine, query: str, person: int | None = None) -> list[str]:
        with engine.connect() as connection:
            if self.is_apart:
                connection.execute(sa.text("SET search_path TO durable_tg_bot"))
            values = {} if person is None else {"p": str(person)}
            return [str(row[0]) for row in connection.execute(sa.text(query), values)]

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Doors]:
        """The services' clients. One process must be stopped before: its stores are opened here."""
        if self.is_apart:
            clients = [
                open_http(url=getattr(self.settings, f"{name}_url"), token=self._token(name))
                for name in ("db_assist", "data_loader")
            ]
            async with clients[0], clients[1]:
                yield Doors(DbAssistClient(clients[0]), DataLoaderClient(clients[1]))
            return
        # What they would log here is of no interest, and would hide what the test says.
        with capture_logs():
            async with assembled(self.settings, ["db_assist", "data_loader"]) as assembly:
                clients = [open_http(url=None, app=assembly.apps[name]) for name in ("db_assist", "data_loader")]
                async with clients[0], clients[1]:
                    yield Doors(DbAssistClient(clients[0]), DataLoaderClient(clients[1]))

    def _token(self, name: str) -> str:
        token: SecretStr = getattr(self.settings, f"{name}_token")
        return token.get_secret_value()


@contextmanager
def embedded_world(directory: Path, telegram: TelegramServer) -> Iterator[World]:
    """One process, SQLite, a directory."""
    settings = Settings(_env_file=None, data_dir=directory / "data")
    environment = _environment(settings.data_dir) | _bot(telegram) | {"GLAS_PORT": str(_free_port())}
    part = Part("glas", ("run",), environment, directory)
    durable = settings.data_dir / "durable-tg_bot.sqlite"
    world = World(telegram, directory, settings, f"sqlite:///{durable}", [[part]], is_apart=False)
    yield from _lived(world)


@contextmanager
def apart_world(directory: Path, telegram: TelegramServer, postgres: Postgres, seaweed: Seaweed) -> Iterator[World]:
    """Each part a process with a token, over PostgreSQL and SeaweedFS, told only what it needs."""
    database = postgres.create(f"whole_{secrets.token_hex(4)}")
    urls = {name: f"http://127.0.0.1:{_free_port()}" for name in _SERVICES}
    tokens = {name: secrets.token_urlsafe(32) for name in _SERVICES}
    with_database = {"GLAS_DATABASE_URL": database}
    reach = {name: _reach(name, urls[name], tokens[name]) for name in _SERVICES}
    told = {
        "nn_service": {},
        "db_assist": with_database,
        "data_loader": with_database | seaweed.environment | reach["db_assist"],
        "tg_bot": with_database | _bot(telegram) | reach["nn_service"] | reach["db_assist"] | reach["data_loader"],
    }
    parts = []
    for name, own in told.items():
        environment = _environment(directory / name) | own
        if name in urls:
            environment[f"GLAS_{name.upper()}__PORT"] = urls[name].rpartition(":")[2]
            environment[f"GLAS_{name.upper()}_TOKEN"] = tokens[name]
        parts.append(Part(name, ("run", name), environment, directory))
    _migrate(parts[1], directory)
    settings = _settings_apart(directory, database, urls, tokens, seaweed)
    durable = sa.make_url(database).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    batches = [parts[:2], parts[2:3], parts[3:]]
    world = World(telegram, directory, settings, durable, batches, is_apart=True, secrets=list(tokens.values()))
    yield from _lived(world)


def _lived(world: World) -> Iterator[World]:
    world.secrets.append(world.telegram.token.partition(":")[2])
    try:
        world.start()
        yield world
    finally:
        for batch in world.parts:
            for part in batch:
                part.kill()


def _settings_apart(
    directory: Path, database: str, urls: dict[str, str], tokens: dict[str, str], seaweed: Seaweed
) -> Settings:
    """What all parts together know."""
    s3 = {name.removeprefix("GLAS_").lower(): value for name, value in seaweed.environment.items()}
    return Settings(
        _env_file=None,
        data_dir=directory / "data_loader",
        database_url=SecretStr(database),
        s3_endpoint=s3["s3_endpoint"],
        s3_access_key=s3["s3_access_key"],
        s3_secret_key=SecretStr(s3["s3_secret_key"]),
        db_assist_url=urls["db_assist"],
        db_assist_token=SecretStr(tokens["db_assist"]),
        data_loader_url=urls["data_loader"],
        data_loader_token=SecretStr(tokens["data_loader"]),
        nn_service_url=urls["nn_service"],
        nn_service_token=SecretStr(tokens["nn_service"]),
    )


def _migrate(part: Part, directory: Path) -> None:
    """`glas migrate`, as it must be run before db_assist starts over PostgreSQL."""
    done = subprocess.run(
        [sys.executable, "-m", "glas", "migrate"], env=part.environment, cwd=directory, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def _environment(data_dir: Path) -> dict[str, str]:
    data_dir.mkdir(parents=True, exist_ok=True)
    foreign = ("GLAS_", "TELEGRAM_", "ADMIN_USER_IDS", "ALLOWED_TELEGRAM_USER_IDS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    logs = {"GLAS_LOG__FORMAT": "json", "GLAS_LOG__LEVEL": "debug"}
    return clean | logs | {"GLAS_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}


def _bot(telegram: TelegramServer) -> dict[str, str]:
    return {"TELEGRAM_TOKEN": telegram.token, "GLAS_TELEGRAM_API_URL": telegram.url}


def _reach(name: str, url: str, token: str) -> dict[str, str]:
    return {f"GLAS_{name.upper()}_URL": url, f"GLAS_{name.upper()}_TOKEN": token}


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port
