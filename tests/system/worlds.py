"""The whole system as processes: everything in one process, or each part apart with PostgreSQL and SeaweedFS."""

import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa
from pydantic import SecretStr
from structlog.testing import capture_logs

from glas.clients.data_loader import DataLoaderClient
from glas.clients.db_assist import DbAssistClient
from glas.clients.http import open_http
from glas.launch.assembly import assembled
from glas.settings import Settings
from tests.conftest import Postgres
from tests.ports import free_port
from tests.system.composition import Fleet, composition
from tests.system.containers import INTERNET, open_containers, open_host
from tests.system.forking import Zygote
from tests.system.processes import Part
from tests.telegram.server import TelegramServer

_QUIET_S = 120.0


class Doors(NamedTuple):
    """Clients of data_loader and db_assist."""

    db_assist: DbAssistClient
    data_loader: DataLoaderClient


@dataclass
class World:
    """The system, its Telegram server, and functions that read its state.

    Attributes:
        telegram: where people are.
        directory: everything that the processes write, logs included.
        settings: where the data lies, as the parts are told it.
        durable_url: the database of the bot's durable work.
        parts: the processes in the order of their start; each batch is started at once.
        bot_url: where the bot has its metrics; empty if all services are in one process.
        secrets: what must stand nowhere.
    """

    telegram: TelegramServer
    directory: Path
    settings: Settings
    durable_url: str
    parts: list[list[Part]]
    bot_url: str = ""
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Without a pool: the database may go away meanwhile, and a file may be replaced.
        self._durable = sa.create_engine(self.durable_url, poolclass=sa.NullPool)

    @property
    def is_apart(self) -> bool:
        """Whether the services answer over TCP."""
        return bool(self.bot_url)

    def start(self) -> None:
        """Start every process."""
        for batch in self.parts:
            for part in batch:
                part.start()
            for part in batch:
                part.wait()

    def stop(self) -> None:
        """End every process with SIGTERM, dependent processes first."""
        for batch in reversed(self.parts):
            codes = {part.name: part.stop() for part in batch}
            assert set(codes.values()) == {0}, f"expected all to end well, got {codes}\n{self.tails()}"

    def part(self, name: str) -> Part:
        """Return a process by its name."""
        return next(part for batch in self.parts for part in batch if part.name == name)

    def tails(self) -> str:
        """Return the last lines of each process, for the message of a failure."""
        return "\n".join(f"--- {part.name}\n{part.tail()}" for batch in self.parts for part in batch)

    def rest(self) -> None:
        """Wait until the bot has no work, including archiving."""
        deadline = time.monotonic() + _QUIET_S
        while left := self.left():
            assert time.monotonic() < deadline, f"work is left: {left[:10]}\n{self.tails()}"
            time.sleep(0.2)

    def left(self) -> list[str]:
        """Return the waiting and running work of the bot: state, name and number of attempts."""
        query = (
            "SELECT status || ' ' || workflow_uuid || ' ' || recovery_attempts FROM workflow_status "
            "WHERE status IN ('ENQUEUED', 'PENDING')"
        )
        return self._asked(query)

    def work_of(self, person: int) -> list[str]:
        """Return the records of the durable engine about a person."""
        return self._asked("SELECT workflow_uuid FROM workflow_status WHERE authenticated_user = :p", person)

    def _asked(self, query: str, person: int | None = None) -> list[str]:
        with self._durable.connect() as connection:
            if self.is_apart:
                connection.execute(sa.text("SET search_path TO durable_tg_bot"))
            values = {} if person is None else {"p": str(person)}
            return [str(row[0]) for row in connection.execute(sa.text(query), values)]

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Doors]:
        """Open the clients of the services; a system in one process must be stopped before."""
        if self.is_apart:
            clients = [
                open_http(url=getattr(self.settings, f"{name}_url"), token=self.token(name))
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

    def token(self, name: str) -> str:
        """Return the token that a service requires of its callers."""
        token: str = getattr(self.settings, f"{name}_token").get_secret_value()
        return token


@contextmanager
def embedded_world(
    directory: Path,
    telegram: TelegramServer,
    told: Mapping[str, str] = MappingProxyType({}),
    *,
    zygote: Zygote | None,
    is_started: bool = True,
) -> Iterator[World]:
    """One process, SQLite, a directory; `told` contains further variables."""
    settings = Settings(_env_file=None, data_dir=directory / "data")
    settings.data_dir.mkdir(parents=True)
    own = {"GLAS_DATA_DIR": str(settings.data_dir), "GLAS_PORT": str(free_port()), "TELEGRAM_TOKEN": telegram.token}
    environment = clean_environment() | _talkative(telegram) | own | dict(told)
    part = Part("glas", [sys.executable, "-m", "glas", "run"], environment, directory, zygote=zygote)
    durable = settings.data_dir / "durable-tg_bot.sqlite"
    world = World(telegram, directory, settings, f"sqlite:///{durable}", [[part]])
    yield from _lived(world, is_started=is_started)


@contextmanager
def apart_world(
    directory: Path,
    telegram: TelegramServer,
    postgres: Postgres,
    variables: dict[str, str],
    told: Mapping[str, str] = MappingProxyType({}),
    *,
    zygote: Zygote,
) -> Iterator[World]:
    """What `docker compose up` would start, as processes: commands, variables, order and health checks of compose.yaml.

    Args:
        directory: everything that the processes write, logs and objects included.
        telegram: where people are.
        postgres: stands in for the container `db`.
        variables: of `.env`.
        told: further variables of every part.
        zygote: forks every part that is `glas`.
    """
    for name in ("downloads", "s3_data"):
        (directory / name).mkdir(parents=True)
    database = postgres.create(f"whole_{uuid4().hex}")
    services = composition(variables | {"TELEGRAM_TOKEN": telegram.token})["services"]
    extra = {name: _talkative(telegram) | dict(told) for name in services if name != "s3"}
    fleet = Fleet(services, directory, database, extra, zygote)
    # The tests see everything: they look as the owner.
    told = fleet.environment("tg_bot") | fleet.environment("web") | fleet.environment("data_loader")
    settings = _settings_of(told).model_copy(update={"database_url": SecretStr(database)})
    world = World(telegram, directory, settings, _durable_url(database), fleet.batches(), fleet.url("tg_bot"))
    yield from _lived(world, _tokens(variables))


@contextmanager
def contained_world(directory: Path, variables: dict[str, str]) -> Iterator[World]:
    """Start the same in containers of `containers`; this thread is in the network of their host meanwhile.

    Args:
        directory: of the containers; it must be empty.
        variables: of `.env`.
    """
    with open_host() as host, host.entered(), TelegramServer(listener=socket.create_server((INTERNET, 0))) as telegram:
        whole = composition(variables | _talkative(telegram) | {"TELEGRAM_TOKEN": telegram.token})
        with open_containers(whole, host, directory) as containers:
            told = {
                name: containers.seen_from_host(value)
                for part in ("tg_bot", "web", "data_loader", "migrate")
                for name, value in containers.all[part].environment.items()
            }
            told |= {"GLAS_HOST": containers.address("web"), "GLAS_DOWNLOADS_DIR": str(directory / "downloads")}
            bot_url = f"http://{containers.address('tg_bot')}:{told['GLAS_BOT__METRICS_PORT']}"
            durable_url = _durable_url(told["GLAS_DATABASE_URL"])
            # The database outlives the others: it is looked into when they have stopped.
            containers.parts["db"].start()
            containers.parts["db"].wait()
            parts = containers.batches({"db"})
            world = World(telegram, directory, _settings_of(told), durable_url, parts, bot_url)
            yield from _lived(world, _tokens(variables))


def _lived(world: World, secrets: Sequence[str] = (), *, is_started: bool = True) -> Iterator[World]:
    world.secrets += secrets
    world.secrets.append(world.telegram.token.partition(":")[2])
    try:
        if is_started:
            world.start()
        yield world
    finally:
        for batch in world.parts:
            for part in batch:
                part.kill()


def _durable_url(database: str) -> str:
    return sa.make_url(database).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _tokens(variables: Mapping[str, str]) -> list[str]:
    return [value for name, value in variables.items() if name.endswith(("_TOKEN", "_API_KEY"))]


def _settings_of(told: Mapping[str, str]) -> Settings:
    """Return the settings of all parts together."""
    given: dict[str, Any] = {
        name.removeprefix("GLAS_").lower(): value
        for name, value in told.items()
        if value and name.startswith("GLAS_") and "__" not in name
    }
    return Settings(_env_file=None, **given)


def _talkative(telegram: TelegramServer) -> dict[str, str]:
    """Return settings with all log entries, so that a secret would be found, and with the test's Telegram."""
    return {"GLAS_LOG__FORMAT": "json", "GLAS_LOG__LEVEL": "debug", "GLAS_TELEGRAM_API_URL": telegram.url}


def clean_environment() -> dict[str, str]:
    """Return the variables of this machine without those of an installation."""
    foreign = ("GLAS_", "TELEGRAM_", "ADMIN_USER_IDS", "ALLOWED_TELEGRAM_USER_IDS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return clean | {"PYTHONUNBUFFERED": "1"}
