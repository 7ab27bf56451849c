"""The images of compose.yaml without Docker: our images according to the Dockerfile, and replacements of the others.

An image is a list of paths of this machine, each with its path in the container. An image contains all packages of the
tests in the place of the packages that the Dockerfile installs.
"""

import json
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from tests import postgres
from tests.conftest import ROOT

_PACKAGES = {"/venv": Path(sys.prefix)}
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# As the entry point of the image: change the owner of the directories, stop being root, create the database, start.
_POSTGRES = """
chown -R 999:999 "$PGDATA" /run/postgresql
chmod 700 "$PGDATA"
exec setpriv --reuid=999 --regid=999 --clear-groups -- sh -euc '
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        printf %s "$POSTGRES_PASSWORD" > /tmp/password
        initdb --no-sync --username="$POSTGRES_USER" --pwfile=/tmp/password $POSTGRES_INITDB_ARGS
        echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
        echo "CREATE DATABASE \\"$POSTGRES_DB\\"" | postgres --single postgres
    fi
    exec postgres -c listen_addresses="*" -c unix_socket_directories=/run/postgresql
'
"""


@dataclass(frozen=True)
class Image:
    """What an image gives a container.

    Attributes:
        files: paths of this machine, by the paths in the container.
        environment: the environment variables.
        entrypoint: the program and its first arguments.
        user: ids of user and group, `uid:gid`.
        working_dir: where the program starts.
        stop_signal: the signal that asks the program to end.
    """

    files: Mapping[str, Path] = field(default_factory=lambda: dict(_PACKAGES))
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": f"/venv/bin:{_PATH}"})
    entrypoint: tuple[str, ...] = ()
    user: str = "0:0"
    working_dir: str = "/"
    stop_signal: str = "SIGTERM"


def image_of(service: Mapping[str, Any]) -> Image:
    """Return the image of a service of compose.yaml."""
    if "build" in service:
        return _stages()[service["build"]["target"]]
    (name,) = re.findall(r"(\w+):[^:]+$", service["image"])
    return {"postgres": _postgres, "seaweedfs": Image}[name]()


def _postgres() -> Image:
    programs = Path("/venv") / postgres.programs().relative_to(sys.prefix)
    environment = {"PATH": f"{programs}:{_PATH}", "PGDATA": "/var/lib/postgresql/data", "LANG": "C.UTF-8"}
    return Image(environment=environment, entrypoint=("sh", "-euc", _POSTGRES), stop_signal="SIGINT")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with its arguments."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).replace("\\\n", " ")
    found = []
    for line in filter(None, text.splitlines()):
        instruction, rest = line.split(None, 1)
        found.append((instruction, rest))
    return found


@cache
def _stages() -> dict[str, Image]:
    """Read the stages of the Dockerfile, by name; `RUN` is left out."""
    found, name = dict[str, Image](), ""
    for instruction, rest in instructions():
        if instruction == "FROM":
            base, _, name = rest.split()
            found[name] = found.get(base, Image(files={}, environment={"PATH": _PATH}))
        elif name:
            found[name] = _with(found[name], instruction, rest)
    return found


def _with(image: Image, instruction: str, rest: str) -> Image:
    """Return an image with one more instruction."""
    match instruction:
        case "ENV":
            pairs = (one.split("=", 1) for one in shlex.split(rest))
            told = {key: Template(value).safe_substitute(image.environment) for key, value in pairs}
            change: dict[str, Any] = {"environment": {**image.environment, **told}}
        case "WORKDIR":
            change = {"working_dir": rest}
        case "USER":
            change = {"user": rest}
        case "ENTRYPOINT":
            change = {"entrypoint": tuple(json.loads(rest))}
        case "COPY" if rest.startswith("--from="):
            change = {"files": {**image.files, **_PACKAGES}}
        case "COPY":
            source, target = rest.split()
            change = {"files": {**image.files, str(Path(image.working_dir, target)): ROOT / source}}
        case _:
            change = {}
    return replace(image, **change)
