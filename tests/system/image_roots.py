"""Run the steps of the Dockerfile without Docker: each stage in a directory of its own, whose base is a Debian.

The Debian with Python takes the place of Docker's image of Python. Everything else is as in the Dockerfile: users,
environment, copied files, and commands, which run with `chroot`. The commands can use the network of this machine.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

from tests.conftest import ROOT
from tests.system.images import instructions

_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# A namespace of its own ends the mounts with the command.
_ENTER = """
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec chroot --userspec="$1" "$0" sh -c "$2"
"""
_PACKAGES = "python3.11,python3.11-venv,python3-pip,ca-certificates"


@dataclass(frozen=True)
class Stage:
    """The state of a stage after some of its instructions.

    Attributes:
        root: the directory with the files of the stage.
        environment: the environment variables.
        arguments: the build arguments that the stage has declared.
        working_dir: the directory in which commands run, a path inside `root`.
        user: ids of user and group, `uid:gid`.
        entrypoint: the program and its first arguments.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    arguments: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = "0:0"
    entrypoint: tuple[str, ...] = ()

    def run(self, *command: str, user: str = "0:0") -> subprocess.CompletedProcess[str]:
        """Run a command in the root, with the variables of the stage and of this machine's pip."""
        ours = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        told = [f"{name}={value}" for name, value in (ours | dict(self.arguments) | dict(self.environment)).items()]
        inside = f"cd {shlex.quote(self.working_dir)} && exec {shlex.join(['env', '-i', *told, *command])}"
        return subprocess.run(
            ["unshare", "--mount", "sh", "-euc", _ENTER, str(self.root), user, inside],
            capture_output=True,
            text=True,
            check=False,
        )


def debian(work: Path) -> Path:
    """Make a small Debian with Python 3.11 and pip, unless it is there; return its directory."""
    root = work / "debian"
    if not (root / "usr/local/bin/python").is_symlink():
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root)], check=True
        )
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3.11")
        # Where this machine gets packages from, and whom it trusts.
        for name in ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt", "etc/xdg/pip"):
            source, target = Path("/", name), root / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            elif source.exists():
                shutil.copyfile(source, target)
    return root


def megabytes(root: Path) -> int:
    """Return the size of a directory in MB (10^6 bytes)."""
    done = subprocess.run(
        ["du", "--summarize", "--block-size=1000000", str(root)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[0])


def built(work: Path, wanted: set[str], told: Mapping[str, str]) -> dict[str, Stage]:
    """Run the instructions of the wanted stages, and of the stages that they need.

    Args:
        work: directory for the roots; what it holds of an earlier run is deleted, except the Debian.
        wanted: names of stages.
        told: values of build arguments.

    Returns:
        The stages by name.
    """
    base, needed = debian(work), _needed(wanted)
    found, arguments, stage, name = dict[str, Stage](), dict[str, str](), Stage(base), ""
    for instruction, rest in instructions():
        if instruction == "ARG":
            key, _, default = rest.partition("=")
            if not name:
                arguments[key] = told.get(key, default)
            elif name in needed:
                stage = replace(stage, arguments={**stage.arguments, key: arguments.get(key, default)})
        elif instruction == "FROM":
            source, _, name = rest.split()
            if name in needed:
                former = found.get(source, Stage(base))
                stage = replace(former, root=work / name, arguments={})
                shutil.rmtree(stage.root, ignore_errors=True)
                subprocess.run(["cp", "--archive", str(former.root), str(stage.root)], check=True)
        elif name in needed:
            stage = _after(stage, instruction, rest, found)
        if name in needed:
            found[name] = stage
    return found


def _needed(wanted: set[str]) -> set[str]:
    """Return stages, with all stages on which they are based or from which they copy."""
    needed, name, uses = set(wanted), "", dict[str, set[str]]()
    for instruction, rest in instructions():
        if instruction == "FROM":
            source, _, name = rest.split()
            uses[name] = {source}
        elif instruction == "COPY" and rest.startswith("--from="):
            uses[name].add(rest.removeprefix("--from=").split()[0])
    while more := {used for one in needed for used in uses.get(one, ())} & set(uses) - needed:
        needed |= more
    return needed


def _after(stage: Stage, instruction: str, rest: str, stages: Mapping[str, Stage]) -> Stage:
    """Do one instruction; return the new state of the stage."""
    match instruction:
        case "ENV":
            pairs = (one.split("=", 1) for one in shlex.split(rest))
            known = {**stage.environment}
            known.update((key, Template(value).safe_substitute(known)) for key, value in pairs)
            return replace(stage, environment=known)
        case "WORKDIR":
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            return replace(stage, working_dir=rest)
        case "USER":
            return replace(stage, user=rest)
        case "ENTRYPOINT":
            return replace(stage, entrypoint=tuple(json.loads(rest)))
        case "COPY":
            _copy(stage, rest, stages)
        case "RUN":
            done = stage.run("sh", "-c", rest)
            assert done.returncode == 0, f"RUN {rest}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return stage


def _copy(stage: Stage, rest: str, stages: Mapping[str, Stage]) -> None:
    option, source, target = rest.split() if rest.startswith("--from=") else ("", *rest.split())
    place = stages[option.removeprefix("--from=")].root / source.lstrip("/") if option else ROOT / source
    to = stage.root / str(Path(stage.working_dir, target)).lstrip("/")
    to = to / place.name if target.endswith("/") else to
    to.parent.mkdir(parents=True, exist_ok=True)
    if option:
        # What is there already is replaced, links included, as Docker does it.
        subprocess.run(
            ["cp", "--archive", "--remove-destination", "--no-target-directory", str(place), str(to)], check=True
        )
    elif place.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")  # as .dockerignore says
        shutil.copytree(place, to, symlinks=True, dirs_exist_ok=True, ignore=ignored)
    else:
        shutil.copy2(place, to)
