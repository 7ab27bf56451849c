"""A real SeaweedFS for tests, with keys."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.ports import free_port

ACCESS_KEY = "glas-test"
SECRET_KEY = "the-secret-of-the-tests"
_START_S = 30


class Seaweed(NamedTuple):
    """A running SeaweedFS."""

    ports: dict[str, int]
    grpc: dict[str, int]
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """Return the address of the S3 API."""
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def addresses(self) -> dict[str, str]:
        """Return the addresses of its parts, as `weed` writes them."""
        return {name: f"127.0.0.1:{port}.{self.grpc[name]}" for name, port in self.ports.items()}

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings with which Glas uses the server."""
        return {
            "GLAS_S3_ENDPOINT": self.endpoint,
            "GLAS_S3_ACCESS_KEY": ACCESS_KEY,
            "GLAS_S3_SECRET_KEY": SECRET_KEY,
        }


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Start one SeaweedFS for all tests; each test uses a different bucket or different ids."""
    with started_seaweed(tmp_path_factory.mktemp("seaweed")) as running:
        yield running


@contextmanager
def started_seaweed(directory: Path, *, under: Sequence[str] = (), before: Seaweed | None = None) -> Iterator[Seaweed]:
    """Start SeaweedFS on loopback.

    Args:
        directory: is new, or that of a server that has ended; it contains the ports of that server.
        under: a program that runs it, with its arguments.
        before: the server that has ended; without it, free ports are used.
    """
    if before is None:
        ports = {name: free_port() for name in ("s3", "filer", "master", "volume")}
        grpc = {name: free_port() for name in ports}
    else:
        ports, grpc = before.ports, before.grpc
    flags = [f"-{name}.port={port}" for name, port in ports.items()]
    flags += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    # Without -disableHttp the filer would give every object to anybody.
    flags += ["-disableHttp", "-master.telemetry=false", "-admin.ui=false", "-webdav=false"]
    flags += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=glas"]
    environment = os.environ | {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [*under, Path(sys.executable).with_name("weed"), "mini", f"-dir={directory}", *flags],
            env=environment,
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        running = Seaweed(ports, grpc, process)
        _wait_for(running.endpoint, process, directory / "log")
        yield running
    finally:
        # Its data is thrown away, and a gentle stop takes over two seconds.
        process.kill()
        process.wait()


def _wait_for(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            # Refused for want of a key: it is there, and its doors are closed.
            if httpx.get(f"{endpoint}/glas", trust_env=False, timeout=60).status_code == httpx.codes.FORBIDDEN:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"SeaweedFS did not start: {log.read_text(errors='replace')[-2000:]}")
