"""Test a loss of power during a backup or a restore: the file is complete or missing, the data is old or new."""

import hashlib
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from glas.launch.lock import Holder, taken
from glas.system.files import sha256_of
from tests.system.forgetful_disk import Disk, Tree, read_tree, write_tree
from tests.system.system_calls import Call, Remove, Rename, Sync, run
from tests.system.test_backup import content, glas
from tests.system.test_backup import data_dir as data_dir  # noqa: PLC0414 - fixtures, found here by their names
from tests.system.test_backup import filled as filled  # noqa: PLC0414

pytestmark = pytest.mark.slow


def command(data_dir: Path, *arguments: str) -> list[str]:
    """Return the command line of `glas` over a data directory."""
    variables = [f"GLAS_DATA_DIR={data_dir}", "GLAS_DATABASE_URL=", "GLAS_S3_ENDPOINT="]
    return ["env", *variables, sys.executable, "-m", "glas", *arguments]


def trees(disk: Disk, calls: Sequence[Call]) -> Iterator[Tree]:
    """Yield the possible contents after each rename, removal and sync, without repetitions."""
    dice, last = random.Random(20261127), None  # noqa: S311 - no secret
    for call in calls:
        disk.play([call])
        if isinstance(call, Rename | Remove | Sync):
            for luck in (None, dice):
                if (tree := disk.after_power_loss(luck)) != last:
                    yield tree
                last = tree


def test_a_restore_is_whole_or_has_not_begun(data_dir: Path, tmp_path: Path) -> None:
    """The data directory contains all of the old or all of the new data, and no other files."""
    archive, world = tmp_path / "glas.tar", tmp_path / "world"
    assert glas(data_dir, "backup", archive).exit_code == 0
    new = content(data_dir)
    world.mkdir()
    data_dir.rename(world / "data")
    with closing(sqlite3.connect(world / "data" / "glas.db")) as connection, connection:
        connection.execute("DELETE FROM consents")
    old, before = content(world / "data"), read_tree(world)
    calls = run(command(world / "data", "restore", str(archive), "--force"), world, tmp_path / "calls")
    disk, found = Disk(world, before), []
    for tree in trees(disk, calls):
        write_tree(tree, left := tmp_path / "left")
        with taken(left / "data", Holder(os.getpid()), alone=True):
            pass
        assert not [path.name for path in (left / "data").iterdir() if path.name.startswith(".")]
        found.append(content(left / "data"))
        shutil.rmtree(left)
    assert [one for one in found if one not in (old, new)] == []
    assert (found[0], found[-1]) == (old, new)
    assert disk.now() == read_tree(world), "the record is not what happened"


def test_a_backup_is_whole_or_not_there(data_dir: Path, tmp_path: Path) -> None:
    """A backup that replaces another backup is also complete, or the old one remains."""
    world = tmp_path / "world"
    world.mkdir()
    data_dir.rename(world / "data")
    assert glas(world / "data", "backup", world / "kept" / "glas.tar").exit_code == 0
    before = read_tree(world)
    whole = [sha256_of(world / "kept" / "glas.tar")]
    arguments = ("backup", str(world / "kept" / "glas.tar"), "--force")
    calls = run(command(world / "data", *arguments), world, tmp_path / "calls")
    whole.append(sha256_of(world / "kept" / "glas.tar"))
    kept = (cast("dict[str, bytes]", tree["kept"]) for tree in trees(Disk(world, before), calls))
    found = [hashlib.sha256(files["glas.tar"]).hexdigest() for files in kept]
    assert all(one in whole for one in found)
    assert (found[0], found[-1]) == (whole[0], whole[1])
