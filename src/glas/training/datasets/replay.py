"""Describe and read replayed recordings: speech, or sounds without speech, that do not come from the export."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from glas.domain.errors import DataSetError
from glas.recognition.references import Utterance, read_reference_set
from glas.system.files import sha256_of
from glas.training.datasets.version import ReplaySet, text_sha256

_SOUNDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a")


def describe_replay(place: Path, kind: Literal["reference", "non_speech"]) -> ReplaySet:
    """Return a description of replayed recordings for a version of the dataset: their place, number and hash.

    Args:
        place: for recordings with reference texts, a directory or manifest that `glas evaluate` can read; otherwise a
            directory of sounds.
        kind: `reference` for recordings with reference texts, `non_speech` for sounds without speech.

    Raises:
        DataSetError: there are no such recordings.
    """
    digest, n_recordings = hashlib.sha256(), 0
    for one in _utterances(place, kind):
        digest.update(f"{one.name}\0{sha256_of(one.audio)}\0{text_sha256(one.text)}\n".encode())
        n_recordings += 1
    return ReplaySet(kind=kind, place=str(place.resolve()), n_recordings=n_recordings, sha256=digest.hexdigest())


def read_replay(replay: ReplaySet) -> tuple[Utterance, ...]:
    """Return the recordings that a version describes as a replay set.

    Raises:
        DataSetError: the recordings are missing, or differ from the recordings with which the version was made.
    """
    place = Path(replay.place)
    if describe_replay(place, replay.kind) != replay:
        raise DataSetError(f"{place}: expected the recordings with which the version was made, got others")
    return tuple(_utterances(place, replay.kind))


def _utterances(place: Path, kind: str) -> Iterator[Utterance]:
    if kind == "reference":
        yield from read_reference_set(place).utterances
        return
    sounds = [path for path in sorted(place.rglob("*")) if path.suffix.lower() in _SOUNDS and path.is_file()]
    if not sounds:
        raise DataSetError(f"{place}: expected a directory of sounds ({', '.join(_SOUNDS)}), got none")
    for path in sounds:
        yield Utterance(path, str(path.relative_to(place)), "")
