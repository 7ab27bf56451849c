"""Test files: synced to disk, locked and hashed."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from glas.system.files import append_line, locked, put_in_place, replace_text, sha256_of, to_disk


def test_a_lock_has_one_holder_or_several_that_share(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path), pytest.raises(BlockingIOError), locked(path, is_shared=True):
        pass
    with locked(path, is_shared=True), locked(path, is_shared=True), pytest.raises(BlockingIOError), locked(path):
        pass
    with locked(path):
        assert path.stat().st_mode & 0o077 == 0


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """The lock ends with its process in any way; then a waiting process gets it."""
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from glas.system.files import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(BlockingIOError), locked(path):
        pass
    process.kill()
    process.communicate()
    with locked(path, waits=True):
        pass


def test_a_part_of_a_file_is_hashed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = bytes(range(256)) * 10_000
    path.write_bytes(data)
    to_disk(path, tmp_path)
    assert sha256_of(path) == hashlib.sha256(data).hexdigest()
    assert sha256_of(path, begin=1_000, size=2_000_000) == hashlib.sha256(data[1_000:2_001_000]).hexdigest()
    assert sha256_of(path, begin=1_000) == hashlib.sha256(data[1_000:]).hexdigest()


def test_a_text_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path, folder = tmp_path / "text", tmp_path / "folder"
    folder.mkdir()
    for text in ("одно", "другое"):
        replace_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    with pytest.raises(IsADirectoryError):
        replace_text(folder, "ничего")
    assert {one.name for one in tmp_path.iterdir()} == {"text", "folder"}


def test_a_line_stands_after_what_a_crash_has_left_of_another(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_line(path, "один")
    with path.open("a", encoding="utf-8") as file:
        file.write("дв")
    append_line(path, "три")
    assert path.read_text(encoding="utf-8") == "один\nдв\nтри\n"


def test_a_file_or_a_directory_is_put_in_place(tmp_path: Path) -> None:
    """A file replaces another file; a directory is moved with its content."""
    target, folder = tmp_path / "text", tmp_path / "folder.part"
    target.write_text("старое", encoding="utf-8")
    (tmp_path / "draft").write_text("новое", encoding="utf-8")
    put_in_place(tmp_path / "draft", target)
    assert target.read_text(encoding="utf-8") == "новое"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "text").touch()
    put_in_place(folder, tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "inner", "text", "text"]
