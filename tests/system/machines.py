"""Glas on three machines, set up by the commands and files of the chapter "Three machines" of docs/operations.md."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import postgres
from tests.conftest import ROOT
from tests.system.forking import Zygote
from tests.system.namespaces import Machine, as_user, network
from tests.system.processes import Part, is_ready
from tests.telegram.server import TelegramServer

OUTSIDE = "10.0.0.254"
ADDRESSES = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}
_START_S = 120.0
_RESTART_S = 5.0  # as the unit says
_STORE = "/etc/systemd/system/glas-store.service, on a: the object store"
_START_POSTGRES = (
    "on a now, on b and c only after they have copied the primary: set the name of the server, and start it"
)
_POSTGRES_UNIT = "/etc/systemd/system/glas-postgresql.service, on each machine"
_UNIT = "/etc/systemd/system/glas@.service, on each machine"
_BIN = Path(sys.executable).parent
_GAP = "…"


def chapter() -> dict[str, str]:
    """Return the code blocks of the chapter by their first line, without this line."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"(?ms)^## Three machines\n(.*?)^## ", page)
    return dict(re.findall(r"(?ms)^```(?:sh|ini)\n# (.*?)\n(.*?)^```$", text))


class Site:
    """The three machines and their processes."""

    def __init__(
        self, telegram: TelegramServer, machines: dict[str, Machine], directory: Path, zygote: Zygote, *, is_quick: bool
    ) -> None:
        self.telegram = telegram
        self.machines = machines
        self.n_restarts = 0
        self._blocks = chapter()
        self._directory = directory
        self._zygote = zygote
        self._is_quick = is_quick
        self._alive: dict[str, list[Part]] = {name: [] for name in machines}
        self._forked_s: dict[Path, float] = {}
        self._said_before: dict[Path, int] = {}  # bytes of each log when its part was started last
        self._servers: list[subprocess.Popen[bytes]] = []
        names = ("OWNER_PASSWORD", "REPLICA_PASSWORD", "APP_PASSWORD", "WORK_PASSWORD", "S3_SECRET")
        self._secrets = {name: secrets.token_urlsafe(24) for name in names}
        self._tokens = {name: secrets.token_urlsafe(24) for name in ("NN_SERVICE", "DB_ASSIST", "DATA_LOADER")}

    def close(self) -> None:
        """Collect the processes that were started here and have ended."""
        for server in self._servers:
            server.wait()

    def set_up(self) -> None:
        """Run all commands of the chapter, in order."""
        for name in self.machines:
            self._pgdata(name).mkdir(mode=0o700, parents=True)
            postgres.give(self._pgdata(name).parent)
            postgres.give(self._pgdata(name))
        self.psql("a", "on a: the first server")
        self._start_postgres("a")
        self.psql(
            "a", "on a: create the roles and the database; commits are local, because no replica can confirm them yet"
        )
        for name in ("b", "c"):
            self.make_replica(name)
        self.command(
            "b",
            "on one machine, as the user glas: the tables, and the roles with the passwords of the files above",
            None,
        )
        for name in self.machines:
            self.start_parts(name)

    def make_replica(self, name: str) -> None:
        """Make PostgreSQL on a machine a replica, and start it."""
        self.psql(
            name, "on b and c: copy the primary; then run the block above that sets the name and starts the server"
        )
        self._start_postgres(name)

    def start(self, name: str) -> None:
        """Start the processes that a machine starts after a loss of power."""
        self.machines[name].mend()
        self._start_unit_of_postgres(name)
        self.start_parts(name)

    def come_back(self, name: str) -> None:
        """Start a machine again whose PostgreSQL was the primary before."""
        shutil.rmtree(self._pgdata(name))
        self._pgdata(name).mkdir(mode=0o700)
        postgres.give(self._pgdata(name))
        self.machines[name].mend()
        self.make_replica(name)
        self.start_parts(name)

    def start_parts(self, name: str) -> None:
        """Start Glas on a machine as its units define, without waiting; `watch` restarts ended processes."""
        starts = "on each machine: start Glas", *(["on a: start the parts that only a has"] if name == "a" else [])
        if name == "a":
            self._start_store()
        (command,) = re.findall(r"^ExecStart=\S*/glas (.*)$", self._blocks[_UNIT], re.MULTILINE)
        for part in re.findall(r"glas@(\w+)", " ".join(self._blocks[start] for start in starts)):
            folder = self._directory / name
            folder.mkdir(exist_ok=True)
            program = ["glas", *command.replace("%i", part).split()]
            self._alive[name].append(Part(part, program, self.environment(name, part), folder))
            self._fork(name, self._alive[name][-1])

    def wait_for_parts(self, name: str) -> None:
        """Wait until all parts of a machine are ready."""
        self.until(lambda: all(self._is_ready(part) for part in self._alive[name]), f"start of {name}", _START_S)

    def _is_ready(self, part: Part) -> bool:
        return part.log.exists() and is_ready(part.log.read_bytes()[self._said_before[part.log] :])

    def die(self, name: str) -> None:
        """Simulate a loss of power of a machine."""
        self._alive[name] = []
        self.machines[name].die()

    def watch(self) -> None:
        """Start ended processes again, as systemd would."""
        for name, parts in self._alive.items():
            for part in parts:
                is_ended = part.process is not None and part.process.poll() is not None
                if is_ended and time.monotonic() > self._forked_s[part.log] + _RESTART_S:
                    self.n_restarts += 1
                    self._fork(name, part)

    def until(
        self, condition: Callable[[], object], what: str, patience_s: float, found: Callable[[], object] = str
    ) -> float:
        """Wait for a condition; return how long this took, in seconds.

        Args:
            condition: returns whether to stop waiting.
            what: names the condition in the error.
            patience_s: longest time to wait, in seconds.
            found: returns what the error shows of the state after this time.
        """
        began_s = time.monotonic()
        while not condition():
            self.watch()
            assert time.monotonic() < began_s + patience_s, f"{what} did not happen: {found()}\n{self.tails()}"
            time.sleep(0.1)
        return time.monotonic() - began_s

    def tails(self) -> str:
        """Return the last lines of all logs."""
        logs = [*self._directory.glob("*/*.log"), *(self._pgdata(name) / "log" for name in self.machines)]
        said = {log: log.read_text(encoding="utf-8", errors="replace")[-2500:] for log in logs if log.exists()}
        return "\n".join(f"--- {log}\n{text}" for log, text in said.items())

    def psql(self, name: str, block: str) -> str:
        """Run commands of the chapter as the user of PostgreSQL."""
        return self.command(name, block, postgres.user())

    def command(self, name: str, block: str, user: str | None) -> str:
        """Run commands of the chapter on a machine."""
        return self.machines[name].run(self._blocks[block], environment=self._shell(name), user=user)

    def ask(self, name: str, query: str) -> list[str]:
        """Return the rows of a server of PostgreSQL about the durable work, line by line."""
        script = 'psql --dbname=glas --no-align --tuples-only --command="$QUERY"'
        environment = self._shell(name) | {"QUERY": query}
        return self.machines[name].run(script, environment=environment, user=postgres.user()).split()

    def environment(self, name: str, part: str) -> dict[str, str]:
        """Return the environment that the unit of a part reads from its files, with the settings of this test."""
        lines = [*self._file("/etc/glas/glas.env"), *self._file(f"/etc/glas/{part}.env")]
        told = {variable: self._filled(variable, value) for variable, value in (line.split("=", 1) for line in lines)}
        ours = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._directory),
            "PYTHONUNBUFFERED": "1",
            "GLAS_DATA_DIR": str(self._directory / name / "data"),
            "GLAS_TELEGRAM_API_URL": self.telegram.url,
        }
        return told | ours

    def _file(self, path: str) -> list[str]:
        found = [body for title, body in self._blocks.items() if title.startswith(f"{path},")]
        return [line for body in found for line in body.splitlines() if line]

    def _filled(self, variable: str, value: str) -> str:
        """Return a value with a secret in place of its placeholder."""
        if variable == "GLAS_DATABASE_URL":
            secret = self._secrets["APP_PASSWORD" if "_app:" in value else "WORK_PASSWORD"]
        elif variable == "TELEGRAM_TOKEN":
            secret = self.telegram.token
        elif variable == "GLAS_S3_SECRET_KEY":
            secret = self._secrets["S3_SECRET"]
        else:
            secret = self._tokens.get(variable.removeprefix("GLAS_").removesuffix("_TOKEN"), "")
        return value.replace(_GAP, secret)

    def _fork(self, name: str, part: Part) -> None:
        where = self.machines[name].path
        self._forked_s[part.log] = time.monotonic()
        self._said_before[part.log] = part.log.stat().st_size if part.log.exists() else 0
        part.fork(self._zygote, namespaces=where, is_quick=self._is_quick)

    def _pgdata(self, name: str) -> Path:
        return self._directory / f"postgres-{name}" / "data"

    def _start_postgres(self, name: str) -> None:
        pgdata = self._pgdata(name)
        with (pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
            # All files of the machines are on one disk, which need not be waited for.
            file.write(f"unix_socket_directories = '{pgdata.parent}'\nfsync = off\n")
        self.psql(name, _START_POSTGRES)

    def _start_unit_of_postgres(self, name: str) -> None:
        """Start PostgreSQL as its unit does, and wait until it answers."""
        (program,) = re.findall(r"^ExecStart=(\S+) -D ", self._blocks[_POSTGRES_UNIT], re.MULTILINE)
        command = [str(Path(postgres.programs(), Path(program).name)), "-D", str(self._pgdata(name))]
        with (self._pgdata(name).parent / "unit.log").open("ab") as log:
            server = subprocess.Popen(
                self.machines[name].command(as_user(postgres.user(), command)),
                env=self._shell(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._servers.append(server)
        wait = "until psql --dbname=postgres --command='SELECT 1' >&- 2>&-; do sleep 0.2; done"
        self.machines[name].run(wait, environment=self._shell(name), user=postgres.user())

    def _start_store(self) -> None:
        unit = self._blocks[_STORE].replace("\\\n", "")
        (prepare,) = re.findall(r"^ExecStartPre=(.*)$", unit, re.MULTILINE)
        (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        told = dict(line.split("=", 1) for line in self._file("/etc/glas/store.env"))
        told["AWS_SECRET_ACCESS_KEY"] = told["AWS_SECRET_ACCESS_KEY"].replace(_GAP, self._secrets["S3_SECRET"])
        environment = self._shell("a") | told | {"S3_DIR": str(self._directory / "a" / "s3")}
        Path(environment["S3_DIR"]).mkdir(parents=True, exist_ok=True)
        with (self._directory / "a" / "weed.log").open("ab") as log:
            store = subprocess.Popen(
                self.machines["a"].command(["sh", "-c", f"{prepare}; exec {start}"]),
                env=environment,
                cwd=environment["S3_DIR"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._servers.append(store)

    def _shell(self, name: str) -> dict[str, str]:
        """Return the environment of commands on a machine."""
        pgdata = self._pgdata(name)
        path = f"{postgres.programs()}:{_BIN}:{os.environ['PATH']}"
        database = {
            "PGDATA": str(pgdata),
            "PGHOST": str(pgdata.parent),
            "PGUSER": postgres.user(),
            "GLAS_DATABASE_URL": self.environment(name, "tg_bot")["GLAS_DATABASE_URL"],
        }
        return {"PATH": path, "HOME": str(self._directory), "PYTHONPATH": str(ROOT / "src")} | database | self._secrets


@contextmanager
def site(zygote: Zygote, *, is_quick: bool) -> Iterator[Site]:
    """Make three machines and a Telegram server outside; no processes run yet."""
    with (
        # The path of a socket may have 107 characters.
        TemporaryDirectory(prefix="glas-") as directory,
        network(ADDRESSES, outside=OUTSIDE) as (outside, machines),
        TelegramServer(listener=outside.call(lambda: socket.create_server((OUTSIDE, 0)))) as telegram,
    ):
        built = Site(telegram, machines, Path(directory), zygote, is_quick=is_quick)
        try:
            yield built
        finally:
            for machine in machines.values():
                machine.die()
            built.close()
