"""A decoder at work is confined: it can open nothing, and ask nothing of the system but computation."""

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glas.audio.decoder import DecoderPool
from tests.parts import hostile
from tests.parts.hostile_decoding import pool as pool  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_decoder import decoder_of, is_running, needs_linux, warden_of

_ESCAPES = """
import os, resource, socket, sys
from glas.audio import confinement
from glas.audio.limits import DecodeLimits

def attempt(name, action):
    try:
        action()
        print(name, "done", sep=": ", flush=True)
    except BaseException as error:
        print(name, getattr(error, "strerror", None) or type(error).__name__, sep=": ", flush=True)

what, victim = sys.argv[1:]
held = os.open("/", os.O_RDONLY)
if what == "without the filter":
    confinement.allow_only_computation = lambda libc: False
if what != "free":
    confinement.confine(DecodeLimits(memory_bytes=64 << 20, cpu_s=1), input_bytes=0)
attempt("read", lambda: open(victim).close())
attempt("write", lambda: open(victim, "w").close())
attempt("descriptor left open", lambda: os.stat("etc", dir_fd=held))
attempt("socket", lambda: socket.socket().close())
attempt("memory", lambda: bytearray(200 << 20))
attempt("little memory", lambda: bytearray(20 << 20))
attempt("limits", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("program", lambda: os.execv("/no-such-program", ["x"]))
attempt("process", lambda: os.fork() or os._exit(0))
attempt("delete", lambda: os.unlink(victim))
if what == "spin":
    while True:
        pass
"""


_UNOPENABLE = ("read", "write", "socket")


@needs_linux
def test_a_decoder_at_work_is_locked_in(pool: DecoderPool) -> None:
    with pool.open(hostile.silent_opus(1_000)) as recording:
        next(iter(recording))
        home = Path(f"/proc/{decoder_of(recording)}")
        warden = Path(f"/proc/{warden_of(recording)}")
        limits = home.joinpath("limits").read_text()
        status = home.joinpath("status").read_text()
        for line in (
            "Max open files            3                    3 ",
            "Max file size             0                    0 ",
        ):
            assert line in limits
        assert "Max cpu time              5                    6 " in limits
        assert "Max core file size        0                    0 " in limits
        assert "Max address space         unlimited" not in limits
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        assert "CapEff:\t0000000000000000" in status
        assert is_running(int(warden.name))
        if os.geteuid() == 0:  # others may not look into a process that has shut itself off
            assert {entry.name for entry in home.joinpath("fd").iterdir()} == {"0", "1", "2"}
            assert home.joinpath("fd", "2").readlink() == Path(os.devnull)
            assert home.joinpath("ns", "net").readlink() != Path("/proc/self/ns/net").readlink()
        assert home.joinpath("environ").stat().st_size == 0


def escapes(what: str, victim: Path) -> tuple[dict[str, str], int]:
    """Return which forbidden actions a process can still do, and how it ended."""
    victim.touch()
    done = subprocess.run(
        [sys.executable, "-c", _ESCAPES, what, str(victim)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )
    return dict(line.split(": ", 1) for line in done.stdout.splitlines()), done.returncode


@needs_linux
def test_a_free_process_can_do_what_is_taken_away(tmp_path: Path) -> None:
    results, exit_code = escapes("free", tmp_path / "victim")
    assert results.pop("program") == "No such file or directory"
    assert set(results.values()) == {"done"}
    assert len(results) == 10
    assert exit_code == 0


@needs_linux
def test_without_free_descriptors_nothing_can_be_opened(tmp_path: Path) -> None:
    results, _ = escapes("without the filter", tmp_path / "victim")
    assert {results[name] for name in _UNOPENABLE} == {"Too many open files"}
    assert results["descriptor left open"] == "Bad file descriptor"
    assert results["memory"] == "MemoryError"
    assert results["little memory"] == "done"
    assert results["limits"] != "done"


@needs_linux
@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="the filter knows two machines")
def test_behind_the_filter_nothing_can_be_asked_of_the_system(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    results, _ = escapes("locked", victim)
    assert results.pop("memory") == "MemoryError"
    assert results.pop("little memory") == "done"
    assert set(results.values()) == {"Function not implemented"}
    assert len(results) == 9
    assert victim.exists()


@needs_linux
def test_after_the_lock_the_processor_is_taken_away(tmp_path: Path) -> None:
    results, exit_code = escapes("spin", tmp_path / "victim")
    assert results["read"] != "done"
    assert exit_code == -signal.SIGXCPU
