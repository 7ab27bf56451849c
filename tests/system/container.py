"""One container of compose.yaml, made from Linux namespaces: its file system, its user, its program.

There are some differences from Docker. The image has the packages of the tests. The names of other containers are in
/etc/hosts. The program is the first process, without `init`. Memory and the number of processes have no limits, and
Docker's seccomp profile is missing.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.composition import Service
from tests.system.images import Image
from tests.system.namespaces import NETWORK, Namespace
from tests.system.processes import Part

KINDS = (*NETWORK, "mount", "ipc")
_TOOLS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
# What Docker gives a container without `cap_drop`.
_USUAL_RIGHTS = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service"),
    *("net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)
_SYSTEM = tuple(dict.fromkeys(("/usr", "/bin", "/lib", "/lib64", "/sbin", sys.base_prefix)))
_ETC = {
    "passwd": "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\nglas:x:10001:10001::/tmp:/bin/sh\n",
    "nsswitch.conf": "hosts: files\n",
}
_CERTIFICATES = Path("/etc/ssl")
_GLAS = 10001
_NAMED = ".volume"
_HEALTH_S, _STOP_S = 20, 60


@dataclass(frozen=True)
class Container(Namespace):
    """One container.

    Attributes:
        name: of its service.
        service: its description in compose.yaml.
        image: its image.
        addresses: its addresses, by network.
        directory: the directory that compose.yaml names `./`; it also contains the named volumes.
    """

    name: str
    service: Service
    image: Image
    addresses: dict[str, str]
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return all its environment variables."""
        told = self.service.get("environment", {})
        return {**self.image.environment, **{name: str(value) for name, value in told.items()}}

    @property
    def program(self) -> list[str]:
        """Return its program and the arguments."""
        entrypoint = self.service.get("entrypoint", self.image.entrypoint)
        return [str(one) for one in (*entrypoint, *self.service.get("command", []))]

    @property
    def volumes(self) -> dict[str, tuple[Path, bool]]:
        """Return each volume by its path in the container: its directory, and whether it can be written."""
        found = {}
        for volume in self.service.get("volumes", []):
            source, target, *options = str(volume).split(":")
            name = source.removeprefix("./") if source.startswith("./") else f"{source}{_NAMED}"
            found[target] = (self.directory / name, options != ["ro"])
        return found

    @property
    def tmpfs(self) -> dict[str, str]:
        """Return the mount options of each directory in memory, by its path."""
        shm = {"/dev/shm": f"size={self.service.get('shm_size', '64m')},mode=1777"}  # noqa: S108 - as in Docker
        return shm | dict(one.partition(":")[::2] for one in self.service.get("tmpfs", []))

    def inside(self, program: Sequence[str]) -> list[str]:
        """Return the command that runs a program in the container, as its user, in a new process namespace."""
        uid, gid = self.service.get("user", self.image.user).split(":")
        usual = [] if self.service.get("cap_drop") == ["ALL"] else _USUAL_RIGHTS
        rights = [*usual, *(one.lower() for one in self.service.get("cap_add", []))]
        with_test = ["setpriv", "--pdeathsig=KILL"]
        become = [*with_test, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=-all"]
        become.append(f"--bounding-set={','.join(['-all', *(f'+{one}' for one in rights)])}")
        if "no-new-privileges:true" in self.service.get("security_opt", []):
            become.append("--no-new-privs")
        place = self.service.get("working_dir", self.image.working_dir)
        apart = ["unshare", "--pid", "--fork", f"--root={self._root}", f"--wd={place}", "--mount-proc"]
        return self.command([*with_test, *apart, "--", *become, "--", *program])

    def make_root(self, hosts: str) -> None:
        """Mount the file system of the container: its image, read-only, its volumes, and directories in memory."""
        etc = self.directory / f"{self.name}.etc"
        for place in (self._root, etc, etc / "ssl"):
            place.mkdir()
        for name, text in {"hosts": hosts, **_ETC}.items():
            (etc / name).write_text(text, encoding="utf-8")
        for place, _ in self.volumes.values():
            if not place.exists():
                place.mkdir()
                if place.suffix == _NAMED:  # it takes over the owner of the image's /data; other directories are root's
                    os.chown(place, _GLAS, _GLAS)
        lines = [f"mount -t tmpfs -o mode=755,size=1m root {self._root}", *self._system(), self._bind(etc, "/etc")]
        lines.append(self._bind(_CERTIFICATES, str(_CERTIFICATES)))
        lines += [self._bind(source, target) for target, source in self.image.files.items()]
        for target, options in self.tmpfs.items():
            mount = f"mount -t tmpfs -o nosuid,nodev,noexec,{options} tmpfs {self._at(target)}"
            lines.append(f"{self._made(target)} && {mount}")
        lines += [self._bind(source, target, is_writable=can) for target, (source, can) in self.volumes.items()]
        lines += [self._made(place) for place in ("/proc", "/data", self.image.working_dir)]
        if self.service.get("read_only"):
            lines.append(f"mount -o remount,bind,ro {self._root}")
        script = self.command(["sh", "-euc", "\n".join(lines)])
        done = subprocess.run(script, env=_TOOLS, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"the root of {self.name}: {done.stderr}"

    def _system(self) -> Iterator[str]:
        """Return the commands that mount the programs, libraries and devices of the system."""
        for path in map(Path, _SYSTEM):
            if path.is_symlink():
                yield f"ln -s {path.readlink()} {self._at(str(path))}"
            elif path.exists() and (path == Path("/usr") or not path.is_relative_to("/usr")):
                yield self._bind(path, str(path))
        yield f"{self._made('/sys')} && mount -t sysfs -o ro,nosuid,nodev,noexec sysfs {self._at('/sys')}"
        for name in ("null", "zero", "full", "random", "urandom"):
            yield self._bind(Path("/dev", name), f"/dev/{name}", is_writable=True)
        yield f"ln -s /proc/self/fd {self._at('/dev/fd')}"

    def _bind(self, source: Path, target: str, *, is_writable: bool = False) -> str:
        place = self._at(target)
        made = self._made(target) if source.is_dir() else f"mkdir -p $(dirname {place}) && touch {place}"
        return f"{made} && mount --bind -o {'rw' if is_writable else 'ro'} {shlex.quote(str(source))} {place}"

    def _made(self, place: str) -> str:
        return f"mkdir -p {self._at(place)}"

    def _at(self, place: str) -> str:
        return shlex.quote(f"{self._root}{place}")

    @property
    def _root(self) -> Path:
        return self.directory / f"{self.name}.root"

    def is_healthy(self) -> bool:
        """Run the health check of compose.yaml; `wget` is replaced, because this machine may not have it."""
        kind, *test = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        if test[0] == "wget":
            return self.call(lambda: _answers(test[-1]))
        done = subprocess.run(
            self.inside(test), env=self.environment, capture_output=True, check=False, timeout=_HEALTH_S
        )
        return done.returncode == 0


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_HEALTH_S):
            return True
    except OSError:
        return False


class ContainerPart(Part):
    """The program of a container. The process that the test starts is the parent of the first process inside."""

    def __init__(self, container: Container) -> None:
        service = container.service
        is_once = "healthcheck" not in service
        super().__init__(
            container.name,
            container.inside(container.program),
            container.environment,
            container.directory,
            check=None if is_once else container.is_healthy,
            is_once=is_once,
            greets=not is_once and "build" in service,
        )
        self._stop_signal = signal.Signals[container.image.stop_signal]

    def pids(self) -> list[int]:
        """Return the processes in the container; the first process is the program."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:  # it grows meanwhile
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())
        return found[1:]

    def stop(self) -> int:
        """Ask the program to end, and return its exit code."""
        assert self.process is not None
        if not self.is_once:
            os.kill(self.pids()[0], self._stop_signal)
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        """Kill all processes in the container."""
        if self.process is not None and self.process.poll() is None:
            for pid in self.pids()[:1]:
                os.kill(pid, signal.SIGKILL)  # all others end with the first
        super().kill()
