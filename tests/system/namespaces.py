"""Machines of a test: network namespaces of Linux on a switch, whose connections can be cut and restored.

A machine has an address, a host name, and a loopback of its own; the disk is shared. Each namespace is held by a
process of ours, so that nothing is left when the test ends, however it ends. It needs root with CAP_SYS_ADMIN and
CAP_NET_ADMIN; `why_impossible` says what is missing.
"""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

_T = TypeVar("_T")
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NETWORK = ("net", "uts")
_PREFIX = 24
# As /proc/net/tcp and tcp6 write them.
_LISTENS = "0A"
_LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
_UNKNOWN = "machines need Linux namespaces"


@dataclass(frozen=True)
class Namespace:
    """A network, a host name and what else `kinds` names, as long as the process that holds them."""

    holder: subprocess.Popen[bytes]
    kinds: tuple[str, ...] = field(default=NETWORK, kw_only=True)

    @property
    def path(self) -> str:
        """Return the path of the namespaces in the file system."""
        return f"/proc/{self.holder.pid}/ns"

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command that starts a command in these namespaces, as the same process."""
        return ["nsenter", f"--target={self.holder.pid}", *(f"--{kind}" for kind in self.kinds), "--", *command]

    def call(self, function: Callable[[], _T]) -> _T:
        """Call a function in these namespaces, in a separate thread; its sockets can be used in any thread."""
        results: list[_T] = []

        def run() -> None:
            enter(self.path)
            results.append(function())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert results, "the function has failed; its thread has said why"
        return results[0]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Move this thread, and the threads that it starts, into the network until the end of the context."""
        with contextlib.ExitStack() as stack:
            before = [stack.enter_context(Path("/proc/thread-self/ns", kind).open("rb")) for kind in NETWORK]
            enter(self.path)
            try:
                yield
            finally:
                for file in before:
                    _join(file)

    def processes(self) -> list[int]:
        """Return all processes in these namespaces except the one that holds them."""
        ours = Path(self.path, "net").stat().st_ino
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != self.holder.pid:
                with contextlib.suppress(OSError):
                    if (entry / "ns/net").stat().st_ino == ours and _is_alive(entry):
                        found.append(int(entry.name))
        return found

    def open_ports(self) -> set[int]:
        """Return the ports on which its processes listen for other machines."""
        tables = [Path(f"/proc/{self.holder.pid}/net/{name}").read_text("ascii") for name in ("tcp", "tcp6")]
        sockets = [line.split() for table in tables for line in table.splitlines()[1:]]
        places = [local.split(":") for _, local, _, state, *_ in sockets if state == _LISTENS]
        return {int(port, 16) for address, port in places if address not in _LOOPBACK}


@dataclass(frozen=True)
class Machine(Namespace):
    """One machine."""

    name: str
    address: str
    switch: Namespace

    def cut(self) -> None:
        """Cut the network connection of the machine."""
        ip(self.switch, "link", "set", "dev", self.name, "down")

    def mend(self) -> None:
        """Restore the network connection of the machine."""
        ip(self.switch, "link", "set", "dev", self.name, "up")

    def die(self) -> None:
        """Simulate a loss of power: end all processes without closing connections."""
        self.cut()
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def run(self, script: str, *, environment: Mapping[str, str], user: str | None = None) -> str:
        """Run a script of the shell on the machine, and return its output."""
        done = subprocess.run(
            self.command(as_user(user, ["sh", "-euc", script])),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"on {self.name}, {script!r} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout


def as_user(user: str | None, command: Sequence[str]) -> list[str]:
    """Return the command that runs a command as another user."""
    if user is None:
        return list(command)
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--", *command]


def enter(path: str) -> None:
    """Move the calling thread into namespaces."""
    for kind in NETWORK:
        with Path(path, kind).open("rb") as file:
            _join(file)


def _join(file: BinaryIO) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
        raise OSError(ctypes.get_errno(), f"cannot enter {file.name}")


def why_impossible() -> str | None:
    """Try to make machines; return the reason why this is impossible, or None."""
    missing = [
        name
        for name in ("hostname", "ip", "mount", "nsenter", "setpriv", "unshare")
        if shutil.which(name, path=_PATH) is None
    ]
    if missing:
        return f"{_UNKNOWN}, and here is no {', '.join(missing)} (Debian: apt-get install iproute2 mount util-linux)"
    try:
        with network({"a": "10.0.0.1"}, outside="10.0.0.254"):
            return None
    except (subprocess.CalledProcessError, OSError) as error:
        said = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        return f"{_UNKNOWN}, which are not permitted here (root with CAP_SYS_ADMIN and CAP_NET_ADMIN): {said}"


@contextlib.contextmanager
def network(addresses: Mapping[str, str], *, outside: str) -> Iterator[tuple[Namespace, dict[str, Machine]]]:
    """Return machines by their names, and the switch between them, whose address stands for the rest of the world."""
    with contextlib.ExitStack() as stack:
        switch = Namespace(stack.enter_context(held("outside")))
        ip(switch, "link", "set", "lo", "up")
        ip(switch, "link", "add", "name", "switch", "type", "bridge")
        ip(switch, "address", "add", f"{outside}/{_PREFIX}", "dev", "switch")
        ip(switch, "link", "set", "switch", "up")
        machines = {}
        for name, address in addresses.items():
            machine = Machine(stack.enter_context(held(name)), name, address, switch)
            peer = ("peer", "name", "eth0", "netns", str(machine.holder.pid))
            ip(switch, "link", "add", "name", name, "type", "veth", *peer)
            ip(switch, "link", "set", "dev", name, "master", "switch", "up")
            ip(machine, "address", "add", f"{address}/{_PREFIX}", "dev", "eth0")
            for link in ("lo", "eth0"):
                ip(machine, "link", "set", "dev", link, "up")
            machines[name] = machine
        yield switch, machines


@contextlib.contextmanager
def held(
    name: str, kinds: Sequence[str] = NETWORK, *, beside: Namespace | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that holds new namespaces and ends with the test; the network may be that of another one."""
    # The shell says that it is in there, and then waits for the end of its input.
    script = 'hostname "$1" && echo ready && exec cat'
    joined = ["nsenter", f"--net={beside.path}/net", "--"] if beside else []
    new = [f"--{kind}" for kind in kinds if not (beside and kind == "net")]
    holder = subprocess.Popen(
        [*joined, "unshare", *new, "sh", "-euc", script, "sh", name.replace("_", "-")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        if not holder.stdout.readline():
            _, said = holder.communicate()
            raise subprocess.CalledProcessError(holder.returncode, "unshare", stderr=said)
        yield holder
    finally:
        holder.communicate()


def ip(where: Namespace, *arguments: str) -> None:
    """Change the network of a namespace."""
    subprocess.run(where.command(["ip", *arguments]), env={"PATH": _PATH}, check=True, capture_output=True, timeout=30)


def _is_alive(entry: Path) -> bool:
    state: Any = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    return bool(state != "Z")
