"""compose.yaml without Docker: read as Compose reads it, with services as processes of this machine."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import yaml

from tests.conftest import ROOT
from tests.ports import free_port
from tests.system.forking import Zygote
from tests.system.processes import Part

COMPOSE = ROOT / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
_URL = re.compile(r"http://[^'\"]+")
_PORTS = {"nn_service": 8001, "db_assist": 8002, "data_loader": 8003, "tg_bot": 8005, "web": 8000, "s3": 8333}
_BIN = Path(sys.executable).parent
# Their place is taken: by PostgreSQL of the tests, and by directories that the test has made.
_ELSEWHERE = {"db", "folders"}

Service = dict[str, Any]

CALLS = {
    "migrate": {"db"},
    "db_assist": {"db"},
    "data_loader": {"db", "s3", "db_assist"},
    "tg_bot": {"db", "db_assist", "data_loader", "nn_service"},
    "web": {"db_assist", "data_loader", "nn_service"},
}
"""The services that each service calls; other services cannot reach each other."""
CALL_THE_INTERNET = {"model", "tg_bot"}
# Variables that only the files laid over compose.yaml demand.
FOR_OVERLAYS = {"GLAS_DOMAIN": "glas.test", "TELEGRAM_API_ID": "12345", "TELEGRAM_API_HASH": "0123456789abcdef"}
_NO_MASQUERADE = {"com.docker.network.bridge.enable_ip_masquerade": "false"}


class MissingVariableError(Exception):
    """A variable that must be set is not, or is empty."""


def variables() -> dict[str, bool]:
    """Return the names in compose.yaml, each with whether it must be set."""
    found = _VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8"))
    return {match["name"]: match["kind"] == "?" for match in found}


def composition(environment: Mapping[str, str], name: str = "compose.yaml") -> dict[str, Any]:
    """A file of Compose, its variables filled in by Compose's rules for `:-` and `:?`: after YAML has been read."""
    read: dict[str, Any] = _filled(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")), environment)
    return read


def _filled(node: Any, environment: Mapping[str, str]) -> Any:
    match node:
        case str():
            return _VARIABLE.sub(lambda match: _value(match, environment), node).replace("$$", "$")
        case dict():
            return {key: _filled(value, environment) for key, value in node.items()}
        case list():
            return [_filled(value, environment) for value in node]
        case _:
            return node


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    given = environment.get(match["name"], "")
    if not given and match["kind"] == "?":
        raise MissingVariableError(match["name"])
    return given or match["rest"] or ""


def _answers(url: str) -> bool:
    place = urlsplit(url)
    with closing(HTTPConnection(place.netloc, timeout=4)) as connection:
        try:
            connection.request("GET", place.path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def without_profiles(services: Mapping[str, Service]) -> dict[str, Service]:
    """Return the services without a profile, which Compose starts."""
    return {name: service for name, service in services.items() if "profiles" not in service}


def neighbours(services: Mapping[str, Service]) -> set[frozenset[str]]:
    """Return the pairs of services that are in a common network, and so can reach each other."""
    pairs = itertools.combinations(services, 2)
    networks = {name: set(service.get("networks", [])) for name, service in services.items()}
    return {frozenset(pair) for pair in pairs if networks[pair[0]] & networks[pair[1]]}


def leads_out(network: Mapping[str, Any]) -> bool:
    """Return whether services in a network can call the internet."""
    return not network.get("internal") and network.get("driver_opts") != _NO_MASQUERADE


def dotenv(path: Path) -> dict[str, str]:
    """Read a file of `NAME=value` lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@dataclass
class Fleet:
    """Services as processes: hosts and ports moved to loopback, directories under `directory`, all else as written.

    Attributes:
        services: of `composition`; those of a profile are left out, as Compose does.
        directory: everything that they write.
        database_url: stands in for the container `db`.
        extra: further variables of a service.
        zygote: forks every service that is `glas`.
    """

    services: dict[str, Service]
    directory: Path
    database_url: str
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    zygote: Zygote | None = None

    def __post_init__(self) -> None:
        self.services = without_profiles(self.services)
        self.ports = {name: free_port() for name in _PORTS}
        # In its container the ports of its parts are its own: one, and one for gRPC.
        self._inner = {part: (free_port(), free_port()) for part in ("filer", "master", "volume")}

    def url(self, name: str) -> str:
        """Return the URL of a service."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def batches(self) -> list[list[Part]]:
        """Return the processes in the order of `depends_on`; each batch needs only earlier batches."""
        done, found = set(_ELSEWHERE), list[list[Part]]()
        while left := [name for name in self.services if name not in done]:
            ready = [name for name in left if done.issuperset(self.services[name].get("depends_on", {}))]
            assert ready, f"{left} wait for each other"
            found.append([self._part(name) for name in ready])
            done.update(ready)
        return found

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service; any client on this machine replaces the image's `wget`.

        The check is a process. It is started only when the address answers, because a start takes long.
        """
        kind, *test = [self._moved(name, str(part)) for part in self.services[name]["healthcheck"]["test"]]
        assert kind == "CMD"
        (url,) = _URL.findall(test[-1])
        if not _answers(url):
            return False
        if test[0] == "wget":
            test = ["python", "-c", f"import urllib.request as r; r.urlopen({url!r}, timeout=4)"]
        done = subprocess.run(
            [sys.executable, *test[1:]], env=self.environment(name), capture_output=True, timeout=20, check=False
        )
        return done.returncode == 0

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment that compose.yaml and the Dockerfile give a service, with PATH of this machine."""
        told = self.services[name].get("environment", {})
        given = {key: self._moved(name, str(value)) for key, value in told.items()}
        image = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(self.directory), "PYTHONUNBUFFERED": "1"}
        data_dir = {"GLAS_DATA_DIR": self._moved(name, "/data")}
        return {"PATH": f"{_BIN}:{os.environ['PATH']}"} | image | data_dir | given | self.extra.get(name, {})

    def _part(self, name: str) -> Part:
        is_once = "healthcheck" not in self.services[name]
        command, greets = self._command(name), "entrypoint" not in self.services[name]
        check = None if is_once else lambda: self.is_healthy(name)
        return Part(
            name,
            command,
            self.environment(name),
            self.directory,
            check=check,
            is_once=is_once,
            greets=greets,
            zygote=self.zygote,
        )

    def _command(self, name: str) -> list[str]:
        command = [self._moved(name, str(part)) for part in self.services[name]["command"]]
        match self.services[name].get("entrypoint"):
            case None:
                return [sys.executable, "-m", "glas", *command]
            case ["weed"]:
                inner = [f"-{part}.port={port}" for part, (port, _) in self._inner.items()]
                inner += [f"-{part}.port.grpc={grpc}" for part, (_, grpc) in self._inner.items()]
                return [str(_BIN / "weed"), *command, *inner, f"-s3.port.grpc={free_port()}"]
            case entrypoint:
                return [*entrypoint, *command]

    def _moved(self, service: str, value: str) -> str:
        """Return a value with addresses and directories of this machine."""
        if value.startswith("postgresql://"):
            return self._database_as(str(sa.make_url(value).username), str(sa.make_url(value).database))
        for name, port in _PORTS.items():
            value = re.sub(rf"\b({name}|127\.0\.0\.1):{port}\b", f"127.0.0.1:{self.ports[name]}", value)
            value = re.sub(
                rf"^(-s3\.port=)?{port}$", rf"\g<1>{self.ports[name]}" if "=" in value else str(self.ports[name]), value
            )
        for part, port in (("master", 9333), ("filer", 8888)):
            value = value.replace(f"127.0.0.1:{port}", "127.0.0.1:{}.{}".format(*self._inner[part]))
        for inside in ("/data", "/downloads"):
            value = re.sub(rf"^(-dir=)?{inside}$", rf"\g<1>{self._mounted(service, inside)}", value)
        return value.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - it is what is taken away

    def _database_as(self, user: str, database: str) -> str:
        """Return the URL of the tests' database with the role of a service; the owner is the superuser."""
        ours = sa.make_url(self.database_url)
        role = user.removeprefix(database)
        name = f"{ours.database}{role}" if role != user and role else ours.username
        return ours.set(username=name).render_as_string(hide_password=False)

    def _mounted(self, service: str, inside: str) -> Path:
        """Return the mounted directory; a container can write only there."""
        mounts = [str(volume).split(":") for volume in self.services[service].get("volumes", [])]
        outside = next((source for source, target, *_ in mounts if target == inside), f"{service}-data")
        return self.directory / outside.removeprefix("./")
