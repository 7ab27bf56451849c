"""The changes of files and the network data of programs, in the order of the kernel, as strace records them."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

_NAMES = {
    *("mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir"),
    "truncate",
}
_ON_DESCRIPTORS = {"write", "writev", "pwrite64", "pwritev", "ftruncate", "lseek", "fsync", "fdatasync"}
_OTHERS = {"openat", "read", "sync", "sendto", "sendmsg", "clone", "clone3"}
_OPTIONS = (
    # The program stays the child of who starts it, and can be killed as such.
    *("--daemonize", "--follow-forks", "--seccomp-bpf"),
    # Whole strings, in hexadecimal digits; paths behind descriptors, addresses behind sockets.
    *("--string-limit=67108864", "--strings-in-hex=all", "--decode-fds=all"),
    # A call is told when it has ended, in one line.
    *("--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns", "--successful-only"),
    # What is read is of no interest, only how much.
    *("--raw=read", "--signal=KILL", f"--trace={','.join(sorted(_NAMES | _ON_DESCRIPTORS | _OTHERS))}"),
)
_WRITTEN_TIMEOUT_S = 60.0

_LINE = re.compile(
    rb"(?P<task>\d+) +(?P<began>\d+\.\d+) (?P<name>\w+)\((?P<arguments>.*)\) += "
    rb"(?P<result>0x[0-9a-f]+|\d+)(?:<(?P<path>.*)>)? <(?P<took>\d+\.\d+)>"
)
_END = re.compile(rb"(\d+) +\d+\.\d+ \+\+\+ ")
_DESCRIPTOR = re.compile(rb"(\d+)<(.*?[^-])>(\(deleted\))?(?:, |$)")
_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_PLACE = re.compile(rb'(?:(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>, )?"((?:\\x[0-9a-f]{2})*)"')
_TCP = re.compile(rb"TCP:\[.*:(\d+)->.*:(\d+)\]")
_ROOT = (b"/", rb"\x2f")


@dataclass(frozen=True)
class Call:
    """A call of the system that succeeded; times are nanoseconds since 1970."""

    began_ns: int
    ended_ns: int


@dataclass(frozen=True)
class Make(Call):
    """A file or directory exists, and was perhaps created now; `empties` means that a file lost its content."""

    path: Path
    is_directory: bool = False
    empties: bool = False


@dataclass(frozen=True)
class Write(Call):
    """Bytes were written, at the end of the file if `offset` is None."""

    path: Path
    offset: int | None
    data: bytes


@dataclass(frozen=True)
class Resize(Call):
    """A file was shortened or extended with zeros."""

    path: Path
    size: int


@dataclass(frozen=True)
class Rename(Call):
    """A file or directory was renamed and replaced the target."""

    path: Path
    target: Path


@dataclass(frozen=True)
class Link(Call):
    """A file has an additional name."""

    path: Path
    target: Path


@dataclass(frozen=True)
class Remove(Call):
    """A name was removed."""

    path: Path


@dataclass(frozen=True)
class Sync(Call):
    """A file or directory was synced to disk; without a path, everything."""

    path: Path | None


@dataclass(frozen=True)
class Send(Call):
    """Bytes were sent to a port of TCP."""

    from_port: int
    to_port: int
    data: bytes


def strace(log: Path, program: Sequence[str]) -> list[str]:
    """Return the command that runs and records a program; skip the test if this is impossible."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        pytest.skip("no strace on this machine (Debian: apt-get install strace)")
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("strace may not trace here")
    return ["strace", *_OPTIONS, f"--output={log}", *program]


def run(program: Sequence[str], directory: Path, log: Path) -> list[Call]:
    """Run a program in an absolute directory, and return its calls.

    Args:
        program: ends with 0.
        directory: where it starts.
        log: a file elsewhere, for what strace writes.
    """
    with subprocess.Popen(strace(log, program), cwd=directory) as process:
        assert process.wait() == 0
    wait_for_end(log, process.pid)
    return list(calls(log, directory))


def wait_for_end(log: Path, pid: int) -> None:
    """Wait until the record of an ended process is complete."""
    deadline = time.monotonic() + _WRITTEN_TIMEOUT_S
    while not any(int(end[1]) == pid for end in _END.finditer(log.read_bytes())):
        assert time.monotonic() < deadline, f"strace did not tell of the end of process {pid}"
        time.sleep(0.1)


def calls(log: Path, directory: Path) -> Iterator[Call]:
    """Read a record of system calls.

    Args:
        log: of programs that were started in the absolute `directory` and stayed there.
        directory: against which relative paths are read.

    Yields:
        The calls, in the order of their end.
    """
    # strace breaks the line of a call during which another process was recorded.
    text = log.read_bytes().replace(b" <unfinished ...>\n", b"")
    lines = [_Line.of(found) for raw in text.splitlines() if (found := _LINE.fullmatch(raw))]
    threads = {line.result: line.task for line in lines if b"CLONE_THREAD" in line.arguments}
    reader = _Reader(directory, threads)
    for line in lines:
        yield from reader.read(line)


class _Line(NamedTuple):
    task: int
    name: str
    arguments: bytes
    result: int
    result_path: bytes
    times: tuple[int, int]

    @classmethod
    def of(cls, found: "re.Match[bytes]") -> "_Line":
        began_ns = _nanoseconds(found["began"])
        times = (began_ns, began_ns + _nanoseconds(found["took"]))
        path = found["path"] or b""
        return cls(int(found["task"]), found["name"].decode(), found["arguments"], int(found["result"], 0), path, times)

    @property
    def data(self) -> bytes:
        """Return the bytes that were written, from the strings of a call."""
        return b"".join(_bytes(found[1]) for found in _STRING.finditer(self.arguments))[: self.result]

    @property
    def last_number(self) -> int:
        return int(self.arguments.rpartition(b", ")[2])


class _Reader:
    """Reads lines, and stores the current position of each open file, which the lines do not contain."""

    def __init__(self, directory: Path, threads: dict[int, int]) -> None:
        self._directory = directory
        self._threads = threads
        self._positions: dict[tuple[int, int], int] = {}

    def read(self, line: _Line) -> Iterator[Call]:
        if line.name == "sync":
            yield Sync(*line.times, None)
        elif line.name == "openat":
            yield from self._opened(line)
        elif line.name == "read":
            self._move(self._description(line, line.arguments.partition(b",")[0]), line.result)
        elif line.name in _NAMES:
            yield from self._named(line)
        elif found := _DESCRIPTOR.match(line.arguments):
            description = self._description(line, found[1])
            if line.name == "lseek":
                self._place(description, line.result)
            elif target := _TCP.fullmatch(found[2]):
                yield Send(*line.times, int(target[1]), int(target[2]), line.data)
            elif found[2].startswith(_ROOT) and not found[3]:
                yield from self._written(line, description, _path(found[2]))

    def _description(self, line: _Line, descriptor: bytes) -> tuple[int, int]:
        process = line.task
        while process in self._threads:
            process = self._threads[process]
        return process, int(descriptor, 0)

    def _opened(self, line: _Line) -> Iterator[Call]:
        flags = line.arguments.rpartition(b'"')[2]
        description = self._description(line, b"%d" % line.result)
        self._positions.pop(description, None)
        if b"O_APPEND" not in flags:
            self._positions[description] = 0
        if b"O_CREAT" in flags or b"O_TRUNC" in flags:
            yield Make(*line.times, _path(line.result_path), empties=b"O_TRUNC" in flags)

    def _written(self, line: _Line, description: tuple[int, int], path: Path) -> Iterator[Call]:
        match line.name:
            case "write" | "writev":
                yield Write(*line.times, path, self._positions.get(description), line.data)
                self._move(description, line.result)
            case "pwrite64" | "pwritev":
                yield Write(*line.times, path, line.last_number, line.data)
            case "ftruncate":
                yield Resize(*line.times, path, line.last_number)
            case "fsync" | "fdatasync":
                yield Sync(*line.times, path)

    def _named(self, line: _Line) -> Iterator[Call]:
        places = [self._directory / _path(one[1] or b"") / _path(one[2]) for one in _PLACE.finditer(line.arguments)]
        match line.name:
            case "mkdir" | "mkdirat":
                yield Make(*line.times, places[0], is_directory=True)
            case "rename" | "renameat" | "renameat2":
                yield Rename(*line.times, *places)
            case "link" | "linkat":
                yield Link(*line.times, *places)
            case "unlink" | "unlinkat" | "rmdir":
                yield Remove(*line.times, places[0])
            case "truncate":
                yield Resize(*line.times, places[0], line.last_number)

    def _place(self, description: tuple[int, int], position: int) -> None:
        if description in self._positions:
            self._positions[description] = position

    def _move(self, description: tuple[int, int], by: int) -> None:
        self._place(description, self._positions.get(description, 0) + by)


def _bytes(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode()) if text.startswith(b"\\x") else text


def _path(text: bytes) -> Path:
    return Path(_bytes(text).decode())


def _nanoseconds(seconds: bytes) -> int:
    return int(seconds.replace(b".", b""))
