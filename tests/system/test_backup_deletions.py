"""Test that a restore of an older backup does not restore data that people have deleted since."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glas.data_loader.app import make_store
from glas.db.deletions import FILE, Deletion, DeletionLog
from glas.domain.object_keys import transcription_key
from glas.settings import Settings
from tests.parts.voices import open_db_assist, send
from tests.system.test_backup import N_PEOPLE, content, glas
from tests.system.test_backup import data_dir as data_dir  # noqa: PLC0414 - fixtures, found here by their names
from tests.system.test_backup import filled as filled  # noqa: PLC0414


def _forget(data_dir: Path, person: int) -> None:
    """Delete all data of a person, as /forget does."""
    settings = Settings(_env_file=None, data_dir=data_dir)

    async def work() -> None:
        store = make_store(settings)
        async with open_db_assist(settings) as client:
            gone = await client.forget(person)
            await store.delete(gone.object_keys)

    asyncio.run(work())


def _rows(data_dir: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data_dir / "glas.db")) as connection:
        return connection.execute(statement, values).fetchall()


@pytest.mark.parametrize("where", ["here", "elsewhere", "elsewhere without the later backup"])
def test_a_restore_brings_nobody_back_who_was_forgotten(data_dir: Path, tmp_path: Path, where: str) -> None:
    """Rows, objects and work are deleted again after a restore, if the log of deletions is known."""
    kept = tmp_path / "kept"
    with closing(sqlite3.connect(data_dir / "durable-tg_bot.sqlite")) as work:
        work.execute("CREATE TABLE glas_forgotten (person TEXT PRIMARY KEY, before_s DOUBLE NOT NULL)")
    assert glas(data_dir, "backup", kept / "old.tar").exit_code == 0
    ((person, user_id),) = _rows(data_dir, "SELECT tg_id, id FROM users ORDER BY id LIMIT 1")
    assert isinstance(person, int)
    ((message,),) = _rows(data_dir, "SELECT id FROM transcriptions WHERE user_id = ?", user_id)
    _forget(data_dir, person)
    if where == "elsewhere":
        assert glas(data_dir, "backup", kept / "new.tar").exit_code == 0
    target = data_dir if where == "here" else tmp_path / "other"

    returned = glas(target, "restore", kept / "old.tar", "--force")
    assert returned.exit_code == 0, returned.output
    is_back = where == "elsewhere without the later backup"
    assert ("они не вернулись" in returned.output) is not is_back
    assert bool(_rows(target, "SELECT 1 FROM users WHERE tg_id = ?", person)) is is_back
    assert bool(_rows(target, "SELECT 1 FROM transcriptions WHERE id = ?", message)) is is_back
    assert (target / "s3" / str(message)).exists() is is_back
    assert bool(_rows(target, "SELECT 1 FROM tombstones WHERE transcription_id = ?", message)) is not is_back
    assert len(_rows(target, "SELECT 1 FROM transcriptions")) == N_PEOPLE - (not is_back)
    with closing(sqlite3.connect(target / "durable-tg_bot.sqlite")) as work:
        assert work.execute("SELECT person FROM glas_forgotten").fetchall() == [(str(person),)] * (not is_back)
    if not is_back:
        assert str(person) not in (target / FILE).read_text()
        again = glas(target, "restore", kept / "old.tar", "--force")
        assert (again.exit_code, "они не вернулись" in again.output) == (0, True)


def test_a_restore_deletes_a_message_again_and_keeps_its_person(data_dir: Path, tmp_path: Path) -> None:
    """A deleted message is deleted again; the person's other data stays."""
    archive = tmp_path / "kept" / "old.tar"
    assert glas(data_dir, "backup", archive).exit_code == 0
    ((person, user_id),) = _rows(data_dir, "SELECT tg_id, id FROM users ORDER BY id LIMIT 1")
    ((message,),) = _rows(data_dir, "SELECT id FROM transcriptions WHERE user_id = ?", user_id)
    assert isinstance(person, int)
    assert isinstance(message, int)

    async def work() -> None:
        async with open_db_assist(Settings(_env_file=None, data_dir=data_dir)) as client:
            await client.delete_message(message, person)

    asyncio.run(work())
    assert glas(data_dir, "restore", archive, "--force").exit_code == 0
    assert _rows(data_dir, "SELECT 1 FROM transcriptions WHERE id = ?", message) == []
    assert not (data_dir / "s3" / str(message)).exists()
    assert _rows(data_dir, "SELECT id FROM users WHERE tg_id = ?", person) == [(user_id,)]
    assert len(_rows(data_dir, "SELECT 1 FROM transcriptions")) == N_PEOPLE - 1


def test_a_number_that_is_given_again_belongs_to_somebody_who_deleted_nothing(data_dir: Path, tmp_path: Path) -> None:
    """The number of a deleted message may be used again after a restore; the new message is not deleted."""
    old, new = tmp_path / "kept" / "old.tar", tmp_path / "kept" / "new.tar"
    assert glas(data_dir, "backup", old).exit_code == 0
    ((person,),) = _rows(data_dir, "SELECT tg_id FROM users ORDER BY id LIMIT 1")
    assert isinstance(person, int)
    settings = Settings(_env_file=None, data_dir=data_dir)

    async def send_one(*, is_deleted: bool) -> int:
        async with open_db_assist(settings) as client:
            sent = await send(client, person)
            await make_store(settings).put(transcription_key(sent.id), b"words")
            if is_deleted:
                await client.delete_message(sent.id, person)
            return sent.id

    first = asyncio.run(send_one(is_deleted=True))
    assert glas(data_dir, "restore", old, "--force").exit_code == 0
    assert asyncio.run(send_one(is_deleted=False)) == first
    assert glas(data_dir, "backup", new).exit_code == 0
    assert glas(data_dir, "restore", new, "--force").exit_code == 0
    assert _rows(data_dir, "SELECT 1 FROM transcriptions WHERE id = ?", first) == [(1,)]
    assert (data_dir / "s3" / transcription_key(first)).read_bytes() == b"words"


def test_a_log_of_another_installation_deletes_nothing(data_dir: Path, filled: Path, tmp_path: Path) -> None:
    """Rows of different installations have equal numbers."""
    archive, other = tmp_path / "kept" / "glas.tar", tmp_path / "other"
    assert glas(data_dir, "backup", archive).exit_code == 0
    shutil.copytree(filled, other)
    ((person,),) = _rows(other, "SELECT tg_id FROM users ORDER BY id LIMIT 1")
    assert isinstance(person, int)
    _forget(other, person)
    assert glas(other, "backup", archive.with_name("other.tar")).exit_code == 0
    assert glas(other, "restore", archive, "--force").exit_code == 0
    assert content(other) == content(data_dir)


def test_a_deletion_that_a_crash_has_cut_is_none(tmp_path: Path) -> None:
    """An incomplete line of the log is ignored; the lines before and after it count."""
    log = DeletionLog(tmp_path / FILE)
    moment = datetime(2026, 11, 26, tzinfo=UTC)
    first, second = (Deletion(user_id=number, transcription_ids=(5,), deletion_datetime=moment) for number in (1, 2))
    log.add(first)
    with log.path.open("ab") as file:
        file.write(second.model_dump_json().encode()[:20])
    assert log.read() == [first]
    log.add(second)
    assert (log.read(), log.path.stat().st_mode & 0o777) == ([first, second], 0o600)
