"""Test that the simulated disk loses unsynced data, and that Glas loses nothing that it has synced."""

import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.system.forgetful_disk import Disk, Tree, read_tree, write_tree
from tests.system.system_calls import run

_SYNC = """
import os
from pathlib import Path
def sync(name):
    descriptor = os.open(name, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
"""
SCRIPTS: dict[str, tuple[str, Tree]] = {
    "a new file": ("Path('new').write_text('1')", {"old": b"0"}),
    "a file that was synced, and its name was not": ("Path('new').write_text('1'); sync('new')", {"old": b"0"}),
    "a name that was synced, and the content was not": (
        "Path('new').write_text('1'); sync('.')",
        {"old": b"0", "new": b""},
    ),
    "both": ("Path('new').write_text('1'); sync('new'); sync('.')", {"old": b"0", "new": b"1"}),
    "what was written after": (
        "file = open('old', 'r+'); file.write('12'); file.flush(); os.fsync(file.fileno()); file.write('3')",
        {"old": b"12"},
    ),
    "a part that was cut off": ("os.truncate('old', 0)", {"old": b"0"}),
    "a file that is gone": ("os.unlink('old')", {"old": b"0"}),
    "a file that is gone, and that was synced": ("os.unlink('old'); sync('.')", {}),
    "a rename": ("os.rename('old', 'new')", {"old": b"0"}),
    "a rename into a new directory": (
        "os.mkdir('d'); sync('.'); os.rename('old', 'd/new'); sync('d')",
        {"d": {"new": b"0"}},
    ),
    "a file in a directory that nobody synced": (
        "os.mkdir('d'); Path('d/new').write_text('1'); sync('d/new'); sync('d')",
        {"old": b"0"},
    ),
    "everything": ("os.mkdir('d'); Path('d/new').write_text('1'); os.sync()", {"old": b"0", "d": {"new": b"1"}}),
}


def played(script: str, tmp_path: Path, before: Tree) -> Disk:
    """Run a script in a directory with these contents; return the disk at its end."""
    directory = tmp_path / "disk"
    write_tree(before, directory)
    disk = Disk(directory, before)
    disk.play(run([sys.executable, "-c", script], directory, tmp_path / "calls"))
    assert disk.now() == read_tree(directory), "the record is not what happened"
    return disk


@pytest.mark.parametrize(("script", "left"), SCRIPTS.values(), ids=SCRIPTS)
def test_what_is_left(script: str, left: Tree, tmp_path: Path) -> None:
    assert played(_SYNC + script, tmp_path, {"old": b"0"}).after_power_loss() == left


def test_without_a_sync_anything_may_be_left(tmp_path: Path) -> None:
    """Unsynced data is complete, missing, or has any sectors."""
    disk = played(_SYNC + "Path('new').write_bytes(b'1' * 1024); sync('.')", tmp_path, {})
    dice = random.Random(1)  # noqa: S311 - no secret
    found = [disk.after_power_loss(dice)["new"] for _ in range(60)]
    left = {content for content in found if isinstance(content, bytes)}
    assert left == {b"", b"1" * 512, b"1" * 1024, bytes(512) + b"1" * 512}


_COMMITS = """
import os, sqlite3
connection = sqlite3.connect('a.db', isolation_level=None)
connection.execute('PRAGMA journal_mode=WAL')
connection.execute('PRAGMA synchronous=FULL')
connection.execute('CREATE TABLE told (number)')
for number in range(20):
    connection.execute('INSERT INTO told VALUES (?)', (number,))
os._exit(0)
"""


@pytest.mark.parametrize(("synchronous", "kept"), [("NORMAL", False), ("FULL", True)])
def test_a_commit_of_sqlite_lasts_if_it_is_synced(synchronous: str, kept: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """With WAL and NORMAL, SQLite loses confirmed commits; the database opens in both cases."""
    disk = played(_COMMITS.replace("FULL", synchronous), tmp_path, {})
    write_tree(disk.after_power_loss(), tmp_path / "left")
    with closing(sqlite3.connect(tmp_path / "left" / "a.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert (tables == [("told",)] and connection.execute("SELECT count(*) FROM told").fetchone() == (20,)) == kept


_LASTING = """
import asyncio, os
from pathlib import Path
from glas.db.deletions import DeletionLog
from glas.engines.catalogue import keep_choice
from glas.engines.fetch import _publish
from glas.engines.folders import written_whole
from glas.recognition import journal
from glas.domain.model_ref import ModelRef
from glas.s3 import open_store
from glas.system import files
from glas.web.access.secret_key import secret_key

root = Path.cwd()
files.make_directory(root / 'made' / 'of' / 'three')
files.replace_text(root / 'made' / 'text', 'new')
files.replace_text(root / 'made' / 'text', 'newer')
files.append_line(root / 'made' / 'lines', 'one')
files.append_line(root / 'made' / 'lines', 'two')
DeletionLog(root / 'made' / 'deletions').installation()
keep_choice(root / 'models' / 'champion', 'one')
keep_choice(root / 'models' / 'champion', None)
(root / 'made' / 'folder' / 'inner').mkdir(parents=True)
files.delete(root / 'made' / 'folder')
journal.write(root / 'models', journal.Promotion(champion=ModelRef(name='a', version='1'),
              candidate=ModelRef(name='b', version='2'), event='judged'))
secret_key(None, root / 'key')
with written_whole(root / 'cache' / 'converted') as part:
    (part / 'config').mkdir()
    (part / 'config' / 'model.json').write_text('{}')
(root / 'fetched.part' / 'onnx').mkdir(parents=True)
(root / 'fetched.part' / 'onnx' / 'weights').write_text('w')
_publish(root / 'fetched.part', root / 'fetched', ['onnx/weights'])

async def store():
    objects = open_store(directory=root / 'objects')
    await objects.put('7/7_audio.ogg', b'OggS' * 1000)
    await objects.put('7/7_transcription.txt', b'text')
    await objects.put('8/8_audio.ogg', b'OggS')
    await objects.delete(['7/7_transcription.txt', '8/8_audio.ogg'])
    # As left by a process that was killed before it could sync the name.
    (root / 'objects' / '9').mkdir()
    with (root / 'objects' / '9' / '9_audio.ogg').open('wb') as file:
        file.write(b'OggS')
        file.flush()
        os.fsync(file.fileno())
    await objects.put('9/9_audio.ogg', b'OggS')

asyncio.run(store())
"""


def test_what_glas_has_made_lasting_is_left(tmp_path: Path) -> None:
    """Directories, texts, lists, choices, keys, models and objects survive."""
    disk = played(f"import sys; sys.path[:0] = {[str(ROOT / 'src')]}\n{_LASTING}", tmp_path, {})
    dice = random.Random(2)  # noqa: S311 - no secret
    assert disk.after_power_loss() == disk.now()
    assert all(disk.after_power_loss(dice) == disk.now() for _ in range(5))
