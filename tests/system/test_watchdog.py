"""Test that a process tells systemd that it has started, and then that it still works, as long as it does not hang."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOKEN = "a-token-between-parts-long-enough"
START_S = 120.0


def received(at: socket.socket, for_s: float) -> list[bytes]:
    """Return what arrives within some seconds."""
    until_s, found = time.monotonic() + for_s, []
    while (left_s := until_s - time.monotonic()) > 0:
        at.settimeout(left_s)
        try:
            found.append(at.recv(100))
        except TimeoutError:
            break
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is a program for Linux")
@pytest.mark.parametrize("is_abstract", [False, True], ids=["file", "abstract"])
def test_systemd_is_told_that_the_process_works(
    glas_environment: dict[str, str], tmp_path: Path, *, is_abstract: bool
) -> None:
    name = f"@glas-{tmp_path.name}" if is_abstract else str(tmp_path / "notify")
    environment = glas_environment | {"GLAS_DATA_DIR": str(tmp_path), "GLAS_DB_ASSIST__PORT": "0"}
    environment |= {"GLAS_DB_ASSIST_TOKEN": TOKEN, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "600000"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0"))
        with subprocess.Popen(
            [sys.executable, "-m", "glas", "run", "db_assist"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                until_s = time.monotonic() + START_S
                while b"READY=1" not in received(systemd, 0.5):
                    assert time.monotonic() < until_s
                assert set(received(systemd, 3.0)) == {b"WATCHDOG=1"}
                process.send_signal(signal.SIGSTOP)
                received(systemd, 0.5)
                assert received(systemd, 2.0) == []
                process.send_signal(signal.SIGCONT)
                assert received(systemd, 3.0)
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            assert process.wait(START_S) == 0
