"""Test that PostgreSQL and SeaweedFS lose nothing that they have confirmed when the power goes.

Each is recorded while it confirms writes, and starts again with what the simulated disk has kept. It is also shown what
is lost without the setting on which this depends.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from glas.domain.object_keys import audio_key
from glas.s3 import Store, open_store
from tests import postgres
from tests.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed, started_seaweed
from tests.system.composition import composition
from tests.system.forgetful_disk import Disk, read_tree, write_tree
from tests.system.system_calls import calls, strace, wait_for_end

_N_CONFIRMED = 12
_START_S = 60.0
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("fsync", "is_kept"), [("off", False), ("on", True)])
def test_a_commit_of_postgresql_lasts(tmp_path: Path, *, fsync: str, is_kept: bool) -> None:
    """With fsync, which is PostgreSQL's default, each confirmed commit is there after the loss of power."""
    data, log = tmp_path / "data", tmp_path / "calls"
    postgres.give(tmp_path)
    postgres.run("initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--wal-segsize=1", "--no-sync")
    disk = Disk(data, before := read_tree(data))
    with served(data, fsync, log) as connection:
        connection.execute("CREATE TABLE told (number integer)")
        for number in range(_N_CONFIRMED):
            connection.execute("INSERT INTO told VALUES (%s)", (number,))
    disk.play(calls(log, data))
    assert disk.now() == read_tree(data) != before, "the record is not what happened"
    shutil.rmtree(data)
    write_tree(disk.after_power_loss(), data)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, postgres.user())
    data.chmod(0o700)
    with served(data, fsync) as connection:
        (found,) = connection.execute("SELECT to_regclass('told') IS NOT NULL").fetchone() or ()
        assert found == is_kept
        if is_kept:
            assert connection.execute("SELECT count(*) FROM told").fetchone() == (_N_CONFIRMED,)


@contextmanager
def served(data: Path, fsync: str, log: Path | None = None) -> Iterator[psycopg.Connection]:
    """Start a server, recorded in `log`, yield a connection, and end the server as if the power had gone."""
    place = data.parent
    command = [
        str(postgres.programs() / "postgres"),
        f"-D{data}",
        f"-k{place}",
        "-clisten_addresses=",
        f"-cfsync={fsync}",
    ]
    user = postgres.user() if os.geteuid() == 0 else None
    with (place / "log").open("ab") as said:
        process = subprocess.Popen(strace(log, command) if log else command, cwd=data, user=user, stderr=said)
    try:
        with connected(f"postgresql://postgres@/postgres?host={place}") as connection:
            yield connection
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
    if log:
        wait_for_end(log, process.pid)


def connected(url: str) -> psycopg.Connection:
    """Connect as soon as the server accepts connections; each statement is a transaction."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.1)


@pytest.mark.parametrize("is_written_at_once", [False, True])
def test_an_object_of_seaweedfs_lasts(
    tmp_path: Path, variables_of_env: dict[str, str], *, is_written_at_once: bool
) -> None:
    """Confirmed objects and deletions last if `folders` of compose.yaml has given the directory the attribute S.

    Without it, SeaweedFS loses the names of objects, also with the rule of `s3_fsync`.
    """
    data, log, services = tmp_path / "data", tmp_path / "calls", composition(variables_of_env)["services"]
    data.mkdir()
    if is_written_at_once:
        (command,) = services["folders"]["command"]
        subprocess.run(["sh", "-c", command.replace("/s3_data", str(data)).partition(";")[0]], check=True)
        if not are_written_at_once(data):
            pytest.skip("the file system of the tests has no attribute S; ext4 and XFS have it")
    (data / "log").touch()
    with started_seaweed(data, under=() if is_written_at_once else strace(log, [])) as running:
        (command,) = services["s3_fsync"]["command"]
        configure(running, command)
        kept = asyncio.run(put_and_delete(opened(running)))
    if is_written_at_once:
        assert are_written_at_once(data, *data.rglob("*"))
        left = read_tree(data)
    else:
        wait_for_end(log, running.process.pid)
        disk = Disk(data, {"log": b""})
        disk.play(calls(log, data))
        assert disk.now() == read_tree(data), "the record is not what happened"
        left = disk.after_power_loss()
    shutil.rmtree(data)
    write_tree(left, data)
    with started_seaweed(data, before=running) as again:
        found = asyncio.run(read(opened(again)))
    assert found == (kept if is_written_at_once else {})


def are_written_at_once(*paths: Path) -> bool:
    """Return whether all of these files and directories have the attribute S."""
    listed = subprocess.run(["lsattr", "-d", *paths], capture_output=True, text=True, check=False).stdout.splitlines()
    return len(listed) == len(paths) and all("S" in line.split()[0] for line in listed)


def configure(running: Seaweed, command: str) -> None:
    """Run the command of `s3_fsync`."""
    for name, port in (("master", 9333), ("filer", 8888)):
        command = command.replace(f"127.0.0.1:{port}", running.addresses[name])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], env={"PATH": path, "HOME": "/tmp"}, timeout=60, check=True)  # noqa: S108


def opened(running: Seaweed) -> Store:
    """Open the bucket."""
    return open_store(endpoint=running.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY)


async def put_and_delete(store: Store) -> dict[str, bytes]:
    """Write objects and delete one of them; return the others by their keys."""
    confirmed = {audio_key(number, "ogg"): bytes([number]) * 5000 for number in range(1, _N_CONFIRMED + 1)}
    for key, data in confirmed.items():
        await store.put(key, data)
    await store.delete([deleted := audio_key(1, "ogg")])
    del confirmed[deleted]
    return confirmed


async def read(store: Store) -> dict[str, bytes]:
    """Return all objects that are left."""
    keys = [key async for page in store.listed() for key, _size in page]
    return {key: b"".join([part async for part in store.stream(key)]) for key in keys}
