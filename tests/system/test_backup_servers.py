"""Test `glas backup` and `glas restore` with PostgreSQL and S3: complete, or refused without changes."""

import asyncio
import os
from pathlib import Path

import psycopg
import pyrage
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from glas.data_loader.app import make_store
from glas.db import roles
from glas.launch.backups import server_restore
from tests.conftest import Postgres
from tests.parts.conftest import as_role
from tests.seaweed import Seaweed
from tests.system.places import Place, directory_place, programs, servers_place
from tests.system.test_backup_drill import fill


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, seaweed: Seaweed) -> Place:
    """PostgreSQL and S3 with people, messages, objects and durable work."""
    place = servers_place(f"backup_{os.getpid()}", postgres, seaweed, tmp_path_factory.mktemp("servers"))
    place.prepare()
    asyncio.run(fill(place))
    return place


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, seaweed: Seaweed) -> Place:
    """Make an empty database and an empty bucket."""
    return servers_place(f"empty_{os.getpid()}", postgres, seaweed, tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="module")
def archive(filled: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a backup of the filled installation."""
    path = tmp_path_factory.mktemp("kept") / "glas.tar"
    saved = filled.run("backup", path)
    assert saved.exit_code == 0, saved.output
    return path


def test_what_comes_back_is_what_was_there(filled: Place, empty: Place, tmp_path: Path) -> None:
    """All rows, sequences and bytes are restored; over other data only with --force."""
    archive, key, identity = tmp_path / "glas.tar.age", tmp_path / "key.txt", pyrage.x25519.Identity.generate()
    key.write_text(str(identity))
    saved = filled.run("backup", archive, "--recipient", str(identity.to_public()))
    assert (saved.exit_code, "баз данных 1, записей и текстов 10" in saved.output) == (0, True), saved.output
    returned = empty.run("restore", archive, "--identity", key)
    assert (returned.exit_code, "баз данных 1, записей и текстов 10" in returned.output) == (0, True), returned.output
    assert empty.content() == filled.content()

    with psycopg.connect(empty.url) as connection:
        connection.execute("DELETE FROM consents")
        connection.execute("CREATE TABLE durable_tg_bot.more (id int)")
    asyncio.run(_spoil_objects(empty))
    refused = empty.run("restore", archive, "--identity", key)
    assert (refused.exit_code, "добавьте --force" in refused.output) == (1, True), refused.output
    assert empty.run("restore", archive, "--identity", key, "--force").exit_code == 0
    assert empty.content() == filled.content()
    assert list(empty.settings.data_dir.iterdir()) == []


async def _spoil_objects(place: Place) -> None:
    """Delete one object, change one object, and add one object."""
    store = make_store(place.settings)
    first, second, *_ = sorted([key async for listed in store.listed() for key, _ in listed])
    await store.delete([first, second])
    await store.put(second, b"of somebody else")
    await store.put("99/99_audio.ogg", b"of a message that the backup does not know")


def test_a_damaged_backup_changes_nothing(filled: Place, archive: Path, tmp_path: Path) -> None:
    damaged, before = tmp_path / "glas.tar", filled.content()
    damaged.write_bytes(archive.read_bytes()[:-50_000])
    refused = filled.run("restore", damaged, "--force")
    assert (refused.exit_code, "повреждена" in refused.output) == (1, True), refused.output
    assert filled.content() == before


def test_a_failure_brings_the_old_back(filled: Place, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the object store fails, the old data is restored; the next restore completes a killed restore."""
    before = filled.content()

    async def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(server_restore, "_put", fail)
        assert filled.run("restore", archive, "--force").exit_code == 1
    assert filled.content() == before

    with psycopg.connect(filled.url) as connection:
        for name in ("public", "durable_tg_bot"):
            connection.execute(f"ALTER SCHEMA {name} RENAME TO glas_former_{name}".encode())
        connection.execute("CREATE SCHEMA public")
        connection.execute("CREATE TABLE public.half (id int)")
    refused = filled.run("restore", archive)
    assert (refused.exit_code, "добавьте --force" in refused.output) == (1, True), refused.output
    assert filled.content() == before


def test_nobody_may_be_connected(filled: Place, archive: Path) -> None:
    with psycopg.connect(filled.url):
        refused = filled.run("restore", archive, "--force")
    assert (refused.exit_code, "stop the parts" in refused.output) == (1, True), refused.output


def test_each_place_takes_its_own_backups(filled: Place, archive: Path, tmp_path: Path) -> None:
    """A backup of the other place is refused; the error names the settings."""
    directory = directory_place(tmp_path / "data")
    refused = directory.run("restore", archive)
    assert (refused.exit_code, "set GLAS_DATABASE_URL" in refused.output) == (1, True), refused.output
    directory.prepare()
    assert directory.run("backup", tmp_path / "files.tar").exit_code == 0
    refused = filled.run("restore", tmp_path / "files.tar", "--force")
    assert (refused.exit_code, "unset GLAS_DATABASE_URL" in refused.output) == (1, True), refused.output


def test_without_pg_dump_of_the_right_version_it_says_so(
    filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.system.places.programs", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = filled.run("backup", tmp_path / "glas.tar")
    assert (missing.exit_code, "expected the program pg_dump" in missing.output) == (1, True), missing.output
    _program(tmp_path, "echo 'pg_dump (PostgreSQL) 9.6.24'")
    old = filled.run("backup", tmp_path / "glas.tar")
    assert (old.exit_code, "9.6.24" in old.output) == (1, True), old.output
    assert not (tmp_path / "glas.tar").exists()


def test_no_argument_holds_the_password(filled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments of programs contain no password; a role without rights gets an error and no backup."""
    real, secret = programs() / "pg_dump", "hunter2hunter2"
    _program(tmp_path, f'echo "$@" $PGPASSWORD >> {tmp_path}/log; exec {real} "$@"')
    monkeypatch.setattr("tests.system.places.programs", lambda: tmp_path)
    url = make_url(as_role(filled.url, roles.APP)).set(password=secret).render_as_string(hide_password=False)
    place = Place(filled.settings.model_copy(update={"database_url": SecretStr(url)}), filled.postgres)
    refused = place.run("backup", tmp_path / "glas.tar")
    assert (refused.exit_code, "permission denied" in refused.output) == (1, True), refused.output
    told = (tmp_path / "log").read_text().splitlines()[-1]
    assert told.endswith(f" {secret}")
    assert told.count(secret) == 1
    assert secret not in refused.output
    assert not (tmp_path / "glas.tar").exists()


def _program(directory: Path, script: str) -> None:
    path = directory / "pg_dump"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
