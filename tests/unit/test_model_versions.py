"""Test versions of models: files that change the text change the version, others do not, and files are read once."""

import os
from pathlib import Path

import pytest

from glas.domain.model_ref import VERSION_LENGTH
from glas.engines.versions import CHECKSUMS, ModelVersions

FILES = (
    "model.bin",
    "config.json",
    "vocabulary.txt",
    "lm.npz",
    "calibration.json",
    "adapter/adapter_model.safetensors",
)
AGE_S = 60


def write(path: Path, content: str, *, age_s: float = AGE_S) -> None:
    """Write a file with an older modification time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    time_s = path.stat().st_mtime - age_s
    os.utime(path, (time_s, time_s))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in FILES:
        write(tmp_path / "model" / name, "{}")
    return tmp_path / "model"


@pytest.fixture
def versions(tmp_path: Path) -> ModelVersions:
    return ModelVersions(tmp_path / "models")


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_can_change_a_text_counts(model: Path, versions: ModelVersions, name: str) -> None:
    before = versions.version_in(model)
    assert len(before) == VERSION_LENGTH
    write(model / name, '{"a": 1}')
    changed = versions.version_in(model)
    (model / name).unlink()
    assert len({before, changed, versions.version_in(model)}) == 3
    write(model / name, "{}")
    assert versions.version_in(model) == before


def test_what_only_describes_a_model_does_not_count(model: Path, versions: ModelVersions) -> None:
    before = versions.version_in(model)
    for name in ("README.md", "LICENSE", "SHA256SUMS", ".part.json"):
        write(model / name, "words")
    assert versions.version_in(model) == before
    write(model / "README.md", "---\ncontext_margin_s: 3\n---\nwords")
    assert versions.version_in(model) != before, "the card states how much silence the model hears"


def test_the_place_does_not_count(model: Path, versions: ModelVersions, tmp_path: Path) -> None:
    before = versions.version_in(model)
    assert versions.version_of(f"whisper:{model}") == before
    assert versions.version_in(model.rename(tmp_path / "elsewhere")) == before


def test_a_file_is_read_once_as_long_as_size_and_time_stay(model: Path, tmp_path: Path) -> None:
    """The checksum is also stored for the next process."""
    (tmp_path / "models").mkdir()
    before = ModelVersions(tmp_path / "models").version_in(model)
    status = (model / "model.bin").stat()
    (model / "model.bin").write_text("[]", encoding="utf-8")
    os.utime(model / "model.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ModelVersions(tmp_path / "models").version_in(model) == before, "it was not read"
    os.utime(model / "model.bin", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert ModelVersions(tmp_path / "models").version_in(model) != before


def test_a_file_that_was_just_written_is_read_again(model: Path, versions: ModelVersions) -> None:
    """A second write at the same time may not change the modification time."""
    write(model / "model.bin", "{}", age_s=0)
    before, status = versions.version_in(model), (model / "model.bin").stat()
    (model / "model.bin").write_text("[]", encoding="utf-8")
    os.utime(model / "model.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert versions.version_in(model) != before


@pytest.mark.parametrize("content", ["", "{broken", "[]", '{"a": 5}', '{"a": [[1, 2]]}'])
def test_kept_checksums_that_cannot_be_read_are_made_anew(model: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "models").mkdir()
    before = ModelVersions(tmp_path / "models").version_in(model)
    (tmp_path / "models" / CHECKSUMS).write_text(content, encoding="utf-8")
    assert ModelVersions(tmp_path / "models").version_in(model) == before
