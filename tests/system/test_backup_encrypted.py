"""Test `glas backup --recipient` and `glas restore --identity`: secrecy, and detection of changes."""

import os
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from glas.launch.backups import backup
from glas.launch.backups.encryption import encrypting
from tests.system.test_backup import content, files, glas
from tests.system.test_backup import data_dir as data_dir  # noqa: PLC0414 - fixtures, found here by their names
from tests.system.test_backup import filled as filled  # noqa: PLC0414

HEADER = b"age-encryption.org/v1"
# Made for this test with ssh-keygen; it opens nothing else.
SSH_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOxmVRkkRJVSQ+UDr14Izsi3WN55PmyN5fCb609+nt22"
SSH_SECRET = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDsZlUZJESVUkPlA69eCM7It1jeeT5sjeXwm+tPfp7dtgAAAJCvXQ5Pr10O
TwAAAAtzc2gtZWQyNTUxOQAAACDsZlUZJESVUkPlA69eCM7It1jeeT5sjeXwm+tPfp7dtg
AAAED7+pOgYFVs0J+UMASP2SMnZlb75vIFBWP1KxBRh4iGluxmVRkkRJVSQ+UDr14Izsi3
WN55PmyN5fCb609+nt22AAAAB3Jvb3RAdm0BAgMEBQY=
-----END OPENSSH PRIVATE KEY-----
"""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return a file in the format of `age-keygen`."""
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"# created: 2026-11-26T10:00:00Z\n# public key: {identity.to_public()}\n{identity}\n")
    return path


def public(key: Path) -> str:
    return key.read_text().splitlines()[1].rpartition(" ")[2]


def test_each_recipient_opens_it_and_nothing_readable_lies_beside_it(
    data_dir: Path, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both keys decrypt the backup; during the backup only the encrypted draft is on the disk."""
    archive, ssh_key = tmp_path / "kept" / "glas.tar.age", tmp_path / "id_ed25519"
    ssh_key.write_text(SSH_SECRET)
    copy_database, beside = backup._copy_database, list[bytes]()

    def looking(source: Path, copy: Path) -> None:
        copy_database(source, copy)
        beside.extend(path.read_bytes() for path in archive.parent.rglob("*") if path.is_file())

    monkeypatch.setattr(backup, "_copy_database", looking)
    saved = glas(data_dir, "backup", archive, "--recipient", public(key), "--recipient", SSH_PUBLIC)
    assert saved.exit_code == 0, saved.output
    assert beside
    assert all(written == b"" or written.startswith(HEADER) for written in (*beside, archive.read_bytes()))
    assert archive.stat().st_mode & 0o777 == 0o600

    for number, identity in enumerate((key, ssh_key)):
        other = tmp_path / f"other-{number}"
        returned = glas(other, "restore", archive, "--identity", identity)
        assert returned.exit_code == 0, returned.output
        assert content(other) == content(data_dir)


def test_without_the_right_key_nothing_changes(data_dir: Path, tmp_path: Path, key: Path) -> None:
    """The error says which key is missing, and contains nothing of a wrong file."""
    archive, other, text = (tmp_path / name for name in ("glas.tar.age", "other.txt", "text.txt"))
    assert glas(data_dir, "backup", archive, "--recipient", public(key)).exit_code == 0
    other.write_text(str(pyrage.x25519.Identity.generate()))
    text.write_text("somebody's diary")
    before = files(data_dir)
    for identity in ((), ("--identity", other)):
        refused = glas(data_dir, "restore", archive, "--force", *identity)
        assert (refused.exit_code, "зашифрована" in refused.output) == (1, True), refused.output
        assert "--identity ФАЙЛ" in refused.output
    refused = glas(data_dir, "restore", archive, "--force", "--identity", text)
    assert (refused.exit_code, "AGE-SECRET-KEY-" in refused.output) == (1, True), refused.output
    assert "diary" not in refused.output
    assert files(data_dir) == before


def _cut(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def _cut_last_block(archive: Path) -> None:
    """Remove the last block of 64 KiB; the tar in it is complete, but the encrypted file is not."""
    size_bytes = archive.stat().st_size
    os.truncate(archive, size_bytes - size_bytes % (64 * 1024 + 16))


def _cut_header(archive: Path) -> None:
    os.truncate(archive, 100)


def _flip(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def _append(archive: Path) -> None:
    with archive.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("damage", [_cut, _cut_last_block, _cut_header, _flip, _append])
def test_a_change_of_one_bit_is_refused(
    damage: Callable[[Path], None], data_dir: Path, tmp_path: Path, key: Path
) -> None:
    archive = tmp_path / "glas.tar.age"
    assert glas(data_dir, "backup", archive, "--recipient", public(key)).exit_code == 0
    damage(archive)
    before = files(data_dir)
    refused = glas(data_dir, "restore", archive, "--force", "--identity", key)
    assert (refused.exit_code, "повреждена" in refused.output) == (1, True), refused.output
    assert files(data_dir) == before


def test_a_wrong_recipient_writes_nothing(data_dir: Path, tmp_path: Path) -> None:
    refused = glas(data_dir, "backup", tmp_path / "glas.tar.age", "--recipient", "age1nobody")
    assert (refused.exit_code, "age1…" in refused.output) == (1, True), refused.output
    assert not (tmp_path / "glas.tar.age").exists()


def test_a_full_disk_is_told(key: Path) -> None:
    """The error of the thread that encrypts is raised by the writer."""
    recipients = [pyrage.x25519.Recipient.from_str(public(key))]
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(OSError, match="No space left"),
        encrypting(full, recipients) as plain,
    ):
        plain.write(bytes(10_000_000))
