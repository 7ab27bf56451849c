"""compose.yaml without Docker: read as Compose reads it, and its services started as processes of this machine."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

COMPOSE = ROOT / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
_PORTS = {"nn_service": 8001, "db_assist": 8002, "data_loader": 8003, "web": 8000, "s3": 8333}
_START_S, _STOP_S = 60.0, 30.0

Service = dict[str, Any]


class MissingVariableError(Exception):
    """A variable that must be set is not, or is empty."""


def variables() -> dict[str, bool]:
    """Names in compose.yaml, and whether each must be set."""
    found = _VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8"))
    return {match["name"]: match["kind"] == "?" for match in found}


def composition(environment: Mapping[str, str]) -> dict[str, Any]:
    """compose.yaml with its variables filled in, by Compose's rules for `:-` and `:?`: after YAML has been read."""
    read: dict[str, Any] = _filled(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")), environment)
    return read


def _filled(node: Any, environment: Mapping[str, str]) -> Any:
    match node:
        case str():
            return _VARIABLE.sub(lambda match: _value(match, environment), node)
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


def dotenv(path: Path) -> dict[str, str]:
    """A file of `NAME=value` lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@dataclass
class Fleet:
    """Services as processes: hosts and ports moved to loopback, directories under `directory`, all else as written.

    Attributes:
        services: of `composition`.
        directory: everything that they write.
        database_url: stands in for the container `db`.
        extra: further variables of a service.
    """

    services: dict[str, Service]
    directory: Path
    database_url: str
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in _PORTS}

    def url(self, name: str) -> str:
        """Where a service answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self) -> None:
        """Start all in the order of `depends_on`, each when the conditions of its dependencies are met."""
        for name in self._order():
            for needed, terms in self.services[name].get("depends_on", {}).items():
                self._await(needed, terms["condition"])
            if name not in ("folders", "db", "s3_fsync"):
                self.processes[name] = self._started(name)
        for name in self.processes:
            if "healthcheck" in self.services[name]:
                self._await(name, "service_healthy")

    def stop(self) -> dict[str, int]:
        """SIGTERM to all that serve, the dependent first; their exit codes."""
        serving = [name for name in self.processes if "healthcheck" in self.services[name]]
        for name in reversed(serving):
            self.processes[name].send_signal(signal.SIGTERM)
            self.processes[name].wait(_STOP_S)
        return {name: self.processes[name].returncode for name in serving}

    def kill(self) -> None:
        """End whatever is left."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What a service said."""
        return (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def is_healthy(self, name: str) -> bool:
        """Run the health check of a service; `wget` of the image is any client here."""
        kind, *test = [self._moved(str(part)) for part in self.services[name]["healthcheck"]["test"]]
        assert kind == "CMD"
        if test[0] == "wget":
            test = ["python", "-c", f"import urllib.request as r; r.urlopen({test[-1]!r}, timeout=4)"]
        done = subprocess.run(
            [sys.executable, *test[1:]], env=self.environment(name), capture_output=True, timeout=20, check=False
        )
        return done.returncode == 0

    def environment(self, name: str) -> dict[str, str]:
        """What compose.yaml and the Dockerfile give a service, and nothing of this machine but its PATH."""
        given = {key: self._moved(str(value)) for key, value in self.services[name].get("environment", {}).items()}
        image = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(self.directory), "PYTHONUNBUFFERED": "1"}
        data_dir = {"GLAS_DATA_DIR": str(self.directory / f"{name}-data")}
        return {"PATH": os.environ["PATH"]} | image | data_dir | given | self.extra.get(name, {})

    def _started(self, name: str) -> "subprocess.Popen[bytes]":
        command = [self._moved(str(part)) for part in self.services[name]["command"]]
        program = [sys.executable, "-m", "glas"]
        if name == "s3":
            program = [str(Path(sys.executable).with_name("weed"))]
            # In its container the other ports are its own.
            inner = [
                f"-{part}.port{kind}={free_port()}" for part in ("filer", "master", "volume") for kind in ("", ".grpc")
            ]
            command += [*inner, f"-s3.port.grpc={free_port()}"]
        with (self.directory / f"{name}.log").open("ab") as log:
            log.write(f"$ {shlex.join(command)}\n".encode())
            return subprocess.Popen(
                [*program, *command], env=self.environment(name), cwd=self.directory, stdout=log, stderr=log
            )

    def _await(self, name: str, condition: str) -> None:
        if name not in self.processes:  # the stand-in for `db` runs already, and directories are there
            return
        deadline = time.monotonic() + _START_S
        while not self._meets(name, condition):
            assert time.monotonic() < deadline, f"{name} is not {condition}:\n{self.log(name)}"
            time.sleep(0.25)

    def _meets(self, name: str, condition: str) -> bool:
        code = self.processes[name].poll()
        if condition == "service_completed_successfully":
            assert not code, f"{name} ended with {code}:\n{self.log(name)}"
            return code == 0
        assert code is None, f"{name} ended with {code}:\n{self.log(name)}"
        return self.is_healthy(name)

    def _order(self) -> Iterator[str]:
        done: set[str] = set()
        while left := [name for name in self.services if name not in done]:
            ready = [name for name in left if done.issuperset(self.services[name].get("depends_on", {}))]
            assert ready, f"{left} wait for each other"
            yield from ready
            done.update(ready)

    def _moved(self, value: str) -> str:
        if value.startswith("postgresql://"):
            return self.database_url
        for name, port in _PORTS.items():
            value = re.sub(rf"\b({name}|127\.0\.0\.1):{port}\b", f"127.0.0.1:{self.ports[name]}", value)
            value = re.sub(
                rf"^(-s3\.port=)?{port}$", rf"\g<1>{self.ports[name]}" if "=" in value else str(self.ports[name]), value
            )
        value = value.replace("-dir=/data", f"-dir={self.directory / 's3_data'}")
        if value == "/downloads":
            return str(self.directory / "downloads")
        return value.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - it is what is taken away


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
