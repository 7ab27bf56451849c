"""Test that `glas restore` restores what `glas backup` saved, and that a damaged file changes nothing."""

import asyncio
import hashlib
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from glas.cli import app
from glas.data_loader.app import make_store
from glas.domain.object_keys import audio_key, transcription_key
from glas.launch.backups.archive import MANIFEST
from glas.launch.control_socket import NAME
from glas.launch.lock import holder_of
from glas.settings import Settings
from tests.conftest import Server
from tests.parts.voices import HEARD, open_db_assist, send, someone

N_PEOPLE = 7
LARGE_BYTES = 9_000_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with people, messages, coins and objects, one of them large."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("filled") / "data")

    async def fill() -> None:
        store = make_store(settings)
        async with open_db_assist(settings) as client:
            for number in range(N_PEOPLE):
                person = someone()
                await client.register(person)
                kept = await send(client, person, text=f"{HEARD} {number}")
                size_bytes = LARGE_BYTES if number == 0 else 1000
                await store.put(audio_key(kept.id, "ogg"), os.urandom(size_bytes))
                await store.put(transcription_key(kept.id), kept.text.encode() if kept.text else b"-")

    asyncio.run(fill())
    with closing(sqlite3.connect(settings.data_dir / "durable-tg_bot.sqlite")) as work:
        work.execute("PRAGMA journal_mode=WAL")
        work.execute("CREATE TABLE steps (id INTEGER PRIMARY KEY, what TEXT)")
        work.execute("INSERT INTO steps (what) VALUES ('answered')")
        work.commit()
    (settings.data_dir / "s3" / "1" / "9_audio.ogg.0123.part").write_bytes(b"a write that is not done")
    return settings.data_dir


@pytest.fixture
def data_dir(filled: Path, tmp_path: Path) -> Path:
    """Return a copy of the filled data directory, for one test."""
    return Path(shutil.copytree(filled, tmp_path / "data"))


def glas(data_dir: Path, *arguments: str | Path) -> Result:
    """Run a command over a data directory."""
    environment = {"GLAS_DATA_DIR": str(data_dir), "GLAS_DATABASE_URL": None, "GLAS_S3_ENDPOINT": None}
    return CliRunner().invoke(app, [str(one) for one in arguments], env=environment)


def content(data_dir: Path) -> dict[str, object]:
    """Return all rows of all tables, and the hash of every undamaged object."""
    found: dict[str, object] = {}
    for path in (*sorted(data_dir.glob("*.sqlite")), data_dir / "glas.db"):
        with closing(sqlite3.connect(path)) as connection:
            found[path.name] = list(connection.iterdump())
    for path in sorted((data_dir / "s3").rglob("*_*")):
        if not path.name.endswith(".part"):
            found[path.relative_to(data_dir).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def files(data_dir: Path) -> dict[str, str]:
    """Return the hash of every file except the lock."""
    return {
        path.relative_to(data_dir).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data_dir.rglob("*"))
        if path.is_file() and path.name != "glas.lock"
    }


def test_what_comes_back_is_what_was_there(data_dir: Path, tmp_path: Path) -> None:
    """All rows and bytes are restored: into an empty directory at once, over other data only with --force."""
    archive, other = tmp_path / "kept" / "glas.tar", tmp_path / "other"
    saved = glas(data_dir, "backup", archive)
    assert saved.exit_code == 0, saved.output
    assert f"баз данных 2, записей и текстов {2 * N_PEOPLE}" in saved.output
    assert archive.stat().st_mode & 0o777 == 0o600
    assert {path.name.partition("-")[0] for path in archive.parent.iterdir()} == {"glas.tar", "glas"}

    bytes_before = archive.read_bytes()
    again = glas(data_dir, "backup", archive)
    assert (again.exit_code, "добавьте --force" in again.output) == (1, True)
    assert archive.read_bytes() == bytes_before
    assert glas(data_dir, "backup", archive, "--force").exit_code == 0

    returned = glas(other, "restore", archive)
    assert returned.exit_code == 0, returned.output
    assert content(other) == content(data_dir)

    with closing(sqlite3.connect(other / "glas.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("DELETE FROM consents")
        connection.commit()
        refused = glas(other, "restore", archive)
        assert (refused.exit_code, "Здесь уже есть данные. Чтобы заменить их, добавьте --force" in refused.output) == (
            1,
            True,
        )
    assert glas(other, "restore", archive, "--force").exit_code == 0
    assert content(other) == content(data_dir)
    assert sorted(path.name for path in other.iterdir() if path.name.startswith(".")) == []


def test_writers_do_not_wait_and_do_no_harm(data_dir: Path, tmp_path: Path) -> None:
    """A backup during writes is complete, and contains a later state than the backup before it."""
    archive, other, done = tmp_path / "glas.tar", tmp_path / "other", threading.Event()
    written: list[int] = []

    def write() -> None:
        with closing(sqlite3.connect(data_dir / "durable-tg_bot.sqlite", timeout=10)) as work:
            while not done.is_set():
                work.executemany("INSERT INTO steps (what) VALUES (?)", [("x" * 1000,), ("y",)])
                work.commit()
                written.append(2)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not written:
            assert writer.is_alive()
        before, saved, after = sum(written), glas(data_dir, "backup", archive), sum(written)
    finally:
        done.set()
        writer.join()
    assert saved.exit_code == 0, saved.output
    assert glas(other, "restore", archive).exit_code == 0
    with closing(sqlite3.connect(other / "durable-tg_bot.sqlite")) as work:
        assert work.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (rows,) = work.execute("SELECT count(*) - 1 FROM steps").fetchone()
    assert before <= rows <= after + 2
    assert rows % 2 == 0


def _flip(archive: Path) -> None:
    """Change one bit of a recording."""
    with tarfile.open(archive) as tar:
        voice = next(member for member in tar if member.size == LARGE_BYTES)
    with archive.open("r+b") as file:
        file.seek(voice.offset_data + LARGE_BYTES // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def _cut(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def _cut_between_files(archive: Path) -> None:
    """Cut the backup between two files, as a full disk would, so that the manifest is missing."""
    with tarfile.open(archive) as tar:
        end = tar.getmember(MANIFEST).offset
    os.truncate(archive, end)


def _replace(archive: Path) -> None:
    archive.write_bytes(b"not a backup " * 1000)


def _add(archive: Path, name: str) -> None:
    with tarfile.open(archive, "a") as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))


def _link(archive: Path) -> None:
    with tarfile.open(archive, "a") as tar:
        member = tarfile.TarInfo("s3/9")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(member)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "one bit": _flip,
    "cut": _cut,
    "cut between files": _cut_between_files,
    "not a tar": _replace,
    "a file more": lambda archive: _add(archive, "s3/99/99_audio.ogg"),
    "a file twice": lambda archive: _add(archive, "glas.db"),
    "a way out": lambda archive: _add(archive, "s3/../../escaped"),
    "a link": _link,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_backup_changes_nothing(damage: Callable[[Path], None], data_dir: Path, tmp_path: Path) -> None:
    """A damaged backup is refused with an explanation, even with --force."""
    archive = tmp_path / "glas.tar"
    assert glas(data_dir, "backup", archive).exit_code == 0
    damage(archive)
    before = files(data_dir)
    refused = glas(data_dir, "restore", archive, "--force")
    assert (refused.exit_code, "повреждена" in refused.output) == (1, True), refused.output
    assert files(data_dir) == before
    assert not (tmp_path / "escaped").exists()


def test_a_failure_in_the_exchange_brings_the_old_back(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails when half of the new data is in place; then the old data is restored."""
    archive = tmp_path / "glas.tar"
    assert glas(data_dir, "backup", archive).exit_code == 0
    before, rename = files(data_dir), Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "s3" and self.parent.name == ".restored-moving":
            raise OSError(5, "Input/output error", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    assert glas(data_dir, "restore", archive, "--force").exit_code == 1
    assert files(data_dir) == before


def test_a_directory_has_one_server(
    data_dir: Path, tmp_path: Path, start_glas: Callable[..., AbstractContextManager[Server]]
) -> None:
    """While a server runs, a second server and a restore are refused, but a backup is not."""
    archive = tmp_path / "glas.tar"
    with start_glas(GLAS_DATA_DIR=str(data_dir)) as server:
        holder = holder_of(data_dir)
        assert holder is not None
        assert (holder.url, holder.pid) == (server.url, server.process.pid)
        second = subprocess.run(
            [sys.executable, "-m", "glas", "run"],
            env=os.environ | {"GLAS_DATA_DIR": str(data_dir), "GLAS_PORT": "0", "GLAS_LANGUAGE": "ru"},
            cwd=data_dir,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (second.returncode, "Каталог данных занят" in second.stderr) == (1, True), second.stderr
        assert str(server.process.pid) in second.stderr
        saved = glas(data_dir, "backup", archive)
        assert saved.exit_code == 0, saved.output
        # The server itself does what these ask for: its stores are opened by nobody else.
        balanced = glas(data_dir, "ledger")
        assert (balanced.exit_code, f"людей {N_PEOPLE}" in balanced.output) == (0, True), balanced.output
        exported = glas(data_dir, "export")
        assert (exported.exit_code, str(data_dir / "downloads") in exported.output) == (0, True), exported.output
        assert (data_dir / NAME).stat().st_mode & 0o777 == 0o600
        refused = glas(data_dir, "restore", archive, "--force")
        assert (refused.exit_code, "Каталог данных занят" in refused.output) == (1, True)
    assert server.process.returncode == 0
    assert holder_of(data_dir) is None
    assert not (data_dir / NAME).exists()
    assert glas(data_dir, "restore", archive, "--force").exit_code == 0


def test_half_of_the_data_is_no_backup(data_dir: Path, tmp_path: Path) -> None:
    """PostgreSQL without a bucket, or a bucket without PostgreSQL, is refused; the error names the settings."""
    for half in (
        {"GLAS_DATABASE_URL": "postgresql://glas:glas@db/glas", "GLAS_S3_ENDPOINT": None},
        {"GLAS_DATABASE_URL": None, "GLAS_S3_ENDPOINT": "http://127.0.0.1:9"},
        {"GLAS_DATABASE_URL": "sqlite:///other.db", "GLAS_S3_ENDPOINT": None},
    ):
        done = CliRunner().invoke(
            app, ["backup", str(tmp_path / "glas.tar")], env={"GLAS_DATA_DIR": str(data_dir)} | half
        )
        assert (done.exit_code, "GLAS_DATABASE_URL of PostgreSQL together" in done.output) == (1, True), done.output
