"""Test that both layouts of data sets are read, and that errors name the line."""

import json
from pathlib import Path

import pytest

from glas.domain.errors import DataSetError
from glas.recognition.references import read_reference_set


def write(listing: Path, *rows: object) -> None:
    listing.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    listing.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_an_audiofolder(tmp_path: Path) -> None:
    audio = tmp_path / "set" / "audio" / "one.ogg"
    write(tmp_path / "set" / "metadata.jsonl", {"file_name": "audio/one.ogg", "text": "Раз.", "more": 1})
    audio.parent.mkdir()
    audio.touch()
    found = read_reference_set(tmp_path / "set")
    assert found.name == "set"
    assert [(one.audio, one.name, one.text) for one in found.utterances] == [(audio, "audio/one.ogg", "Раз.")]


@pytest.mark.parametrize("by_file", [False, True])
def test_a_manifest_of_nemo(*, tmp_path: Path, by_file: bool) -> None:
    """Paths may be relative or absolute; a line without a text, as in the export, is counted and left out."""
    near, far = tmp_path / "set" / "1" / "a.wav", tmp_path / "far.wav"
    listing = tmp_path / "set" / "manifest.jsonl"
    write(
        listing,
        {"audio_filepath": "1/a.wav", "text": "раз", "duration": 1.0, "offset": 0},
        {"audio_filepath": str(far), "text": ""},
        "",
        {"audio_filepath": "1/b.wav", "text": None},
    )
    near.parent.mkdir()
    near.touch()
    far.touch()
    found = read_reference_set(listing if by_file else listing.parent)
    assert [(one.audio, one.text) for one in found.utterances] == [(near, "раз"), (far, "")]
    assert found.n_without_reference == 1


GOOD = {"file_name": "a.wav", "text": "раз"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "expected recordings with a text, got none"),
        ([GOOD, "{broken"], "line 2: expected a JSON object"),
        ([GOOD, "[]"], "line 2: expected the fields file_name"),
        ([{"file": "a.wav", "text": "раз"}], "line 1: expected the fields file_name"),
        ([{"file_name": "a.wav"}], "line 1: expected the fields file_name"),
        ([{"file_name": "a.wav", "text": 5}], "line 1: expected a text or null, got 5"),
        ([{"audio_filepath": "a.wav", "text": "раз", "offset": 2.5}], "offset 2.5"),
        ([{"file_name": "a.wav", "text": None}], "1 without a text"),
        ([GOOD, {"file_name": "b.wav", "text": "два"}], "1 of 2 audio files are not there, the first one is"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, rows: list[object], said: str) -> None:
    (tmp_path / "a.wav").touch()
    write(tmp_path / "metadata.jsonl", *rows)
    with pytest.raises(DataSetError, match=said):
        read_reference_set(tmp_path)


def test_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="a directory without them"):
        read_reference_set(tmp_path)
    with pytest.raises(DataSetError, match="no such file or directory"):
        read_reference_set(tmp_path / "nowhere")
    (tmp_path / "metadata.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataSetError, match="cannot be read"):
        read_reference_set(tmp_path)
