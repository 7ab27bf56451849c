"""The images of compose.yaml without Docker: the Dockerfile read as Docker reads it, and stand-ins for foreign images.

An image here is a list of paths of this machine and the places at which a container shows them. In the place of the
packages that the Dockerfile installs, it has all packages of the tests.
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
# What the entry point of the image does: take the directories over, step down from root, make a cluster and a database.
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
    """What a container has before compose.yaml says more.

    Attributes:
        files: paths of this machine by the places where the container shows them.
        environment: its variables.
        entrypoint: the program and its first arguments.
        user: ids of user and group, `uid:gid`.
        working_dir: where the program starts.
        stop_signal: what asks the program to end.
    """

    files: Mapping[str, Path] = field(default_factory=lambda: dict(_PACKAGES))
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": f"/venv/bin:{_PATH}"})
    entrypoint: tuple[str, ...] = ()
    user: str = "0:0"
    working_dir: str = "/"
    stop_signal: str = "SIGTERM"


def image_of(service: Mapping[str, Any]) -> Image:
    """The image of a service of compose.yaml."""
    if "build" in service:
        return _stages()[service["build"]["target"]]
    (name,) = re.findall(r"(\w+):[^:]+$", service["image"])
    return {"postgres": _postgres, "seaweedfs": Image}[name]()


def _postgres() -> Image:
    programs = Path("/venv") / postgres.programs().relative_to(sys.prefix)
    environment = {"PATH": f"{programs}:{_PATH}", "PGDATA": "/var/lib/postgresql/data", "LANG": "C.UTF-8"}
    return Image(environment=environment, entrypoint=("sh", "-euc", _POSTGRES), stop_signal="SIGINT")


@cache
def _stages() -> dict[str, Image]:
    """The stages of the Dockerfile by name; what `RUN` installs is left out."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).replace("\\\n", " ")
    found, name = dict[str, Image](), ""
    for line in filter(None, text.splitlines()):
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            base, _, name = rest.split()
            found[name] = found.get(base, Image(files={}, environment={"PATH": _PATH}))
        elif name:
            found[name] = _with(found[name], instruction, rest)
    return found


def _with(image: Image, instruction: str, rest: str) -> Image:
    """An image after one more instruction."""
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
