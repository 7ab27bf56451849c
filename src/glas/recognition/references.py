"""Recordings with reference texts, read from a directory or from a file that lists recordings (a manifest)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from glas.domain.errors import DataSetError
from glas.system.files import sha256_of

AUDIOFOLDER = "metadata.jsonl"
MANIFESTS = ("manifest.jsonl", "manifest.json")

_AUDIO_FIELDS = ("file_name", "audio_filepath")


@dataclass(frozen=True)
class Utterance:
    """A recording and the words that were said in it.

    Attributes:
        audio: path of the audio file.
        name: name of the recording in the data set.
        text: the words that were said (the reference).
        speaker: the speaker's name; None if the data set does not name speakers.
    """

    audio: Path
    name: str
    text: str
    speaker: str | None = None


@dataclass(frozen=True)
class ReferenceSet:
    """Recordings with reference texts.

    Attributes:
        name: name of the directory or manifest.
        utterances: the recordings, at least one.
        n_without_reference: number of recordings that were left out because they have no reference.
    """

    name: str
    utterances: tuple[Utterance, ...]
    n_without_reference: int = 0


def content_hash(data: ReferenceSet) -> str:
    """Return a hash over the sounds, texts and speakers of a data set, but not over the paths of files."""
    lines = (
        f"{sha256_of(one.audio)} {sha256(one.text.encode()).hexdigest()} {one.speaker}\n" for one in data.utterances
    )
    return sha256("".join(sorted(lines)).encode()).hexdigest()


def read_reference_set(place: Path) -> ReferenceSet:
    """Read a data set.

    Args:
        place: a directory in the format `audiofolder` of Hugging Face (`metadata.jsonl` with file_name and text), a
            directory with a NeMo manifest (`manifest.jsonl` or `manifest.json` with audio_filepath and text), or the
            path of such a file. Paths of audio files are relative to the file that contains the paths.

    Raises:
        DataSetError: there is no such file, a line has a wrong format, or an audio file is missing.
    """
    listing = _listing(place)
    utterances, n_without = [], 0
    for number, line in enumerate(_lines(listing), 1):
        if line.strip():
            found = _utterance(listing, number, line)
            if found is None:
                n_without += 1
            else:
                utterances.append(found)
    if not utterances:
        raise DataSetError(f"{listing}: expected recordings with a text, got none ({n_without} without a text)")
    if absent := [str(one.audio) for one in utterances if not one.audio.is_file()]:
        raise DataSetError(
            f"{listing}: {len(absent)} of {len(utterances)} audio files are not there, the first one is {absent[0]}"
        )
    name = place.stem if place.is_file() else place.resolve().name
    return ReferenceSet(name, tuple(utterances), n_without)


def _listing(place: Path) -> Path:
    if place.is_file():
        return place
    for name in (AUDIOFOLDER, *MANIFESTS):
        if (place / name).is_file():
            return place / name
    expected = f"a directory with {AUDIOFOLDER} or {MANIFESTS[0]}, or a manifest"
    got = "no such file or directory" if not place.exists() else "a directory without them"
    raise DataSetError(f"{place}: expected {expected}, got {got}")


def _lines(listing: Path) -> Iterator[str]:
    try:
        with listing.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise DataSetError(f"{listing} cannot be read: {error}") from error


def _utterance(listing: Path, number: int, line: str) -> Utterance | None:
    """Parse a line of a list of recordings; return None if the recording has no reference."""
    try:
        row: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataSetError(f"{listing}, line {number}: expected a JSON object, got {line.strip()!r:.80}") from error
    audio = next((row[field] for field in _AUDIO_FIELDS if field in row), None) if isinstance(row, dict) else None
    if not isinstance(audio, str) or "text" not in row:
        raise DataSetError(
            f"{listing}, line {number}: expected the fields file_name (or audio_filepath) and text, "
            f"got {line.strip()!r:.80}"
        )
    if row.get("offset"):
        raise DataSetError(
            f"{listing}, line {number}: expected whole files, got a part of one (offset {row['offset']})"
        )
    text = row["text"]
    if text is None:
        return None
    if not isinstance(text, str):
        raise DataSetError(f"{listing}, line {number}: expected a text or null, got {text!r:.80}")
    speaker = row.get("speaker")
    return Utterance(listing.parent / audio, audio, text, speaker if isinstance(speaker, str) else None)
