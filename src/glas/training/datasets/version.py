"""A version of the dataset: a JSON file whose name is a hash of its content, so that a changed file is detected."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.errors import DataSetError
from glas.domain.splits import Split
from glas.domain.text import normalise
from glas.system.files import put_in_place

_NAME_CHARS: Final = 16
_HEX: Final = frozenset("0123456789abcdef")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Value):
    """A recording of the export that belongs to a version."""

    id: int = Field(description="Number of the message in db_assist.")
    split: Split
    rank: str = Field(
        description="Source of the words: `agreed`, `reviewer` or `author` if people wrote or confirmed them, "
        "`hypothesis` if a model recognised them."
    )
    speaker: str = Field(description="Pseudonym of the speaker.")
    duration_s: float
    audio_sha256: str
    reference_sha256: str = Field(description="sha256 of the words in UTF-8 on which the model is trained.")
    words_sha256: str = Field(description="sha256 of the words after the normalisation RU-NORM.")


class ReplaySet(_Value):
    """Recordings that do not come from the export.

    Such recordings are used only for training. They are used so that the model forgets less of its earlier training.
    """

    kind: Literal["reference", "non_speech"] = Field(
        description="`reference`: recordings with texts; `non_speech`: sounds without speech."
    )
    place: str = Field(description="Path of the directory, or of the manifest, with the recordings.")
    n_recordings: int
    sha256: str = Field(description="sha256 over the names, sounds and texts of all recordings.")


class Version(_Value):
    """The recordings with which a model is trained and measured."""

    schema_version: Literal[1] = 1
    speaker: str | None = Field(
        description="Pseudonym of the only speaker of a personal dataset. In such a dataset, the recordings are "
        "divided between training, development and test by their texts. null means that the dataset contains all "
        "speakers."
    )
    min_confidence: float = Field(
        description="Least confidence (0..1) with which a recognised text is used for training. This concerns "
        "texts with the best rating that no person has corrected."
    )
    test_share: float
    dev_share: float
    entries: tuple[Entry, ...]
    replay: tuple[ReplaySet, ...] = ()

    @property
    def content(self) -> bytes:
        """Content of the version's file."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @property
    def name(self) -> str:
        """Name of the version: the first digits of a hash of the file's content."""
        return hashlib.sha256(self.content).hexdigest()[:_NAME_CHARS]

    @property
    def speakers(self) -> frozenset[str]:
        """Pseudonyms of all speakers in the version."""
        return frozenset(entry.speaker for entry in self.entries)


def text_sha256(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def words_sha256(text: str) -> str:
    """Return the sha256 of a text after RU-NORM, that is without capitals and punctuation."""
    return text_sha256(normalise(text))


def write_version(folder: Path, version: Version) -> Path:
    """Write the file of a version, unless it exists already, and return its path."""
    path = folder / f"{version.name}.json"
    if path.exists():
        read_version(folder, version.name)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{version.name}.draft"
    draft.write_bytes(version.content)
    put_in_place(draft, path)
    return path


def read_version(folder: Path, name: str) -> Version:
    """Read the version with a given name.

    Raises:
        DataSetError: there is no version of that name, or its file was changed.
    """
    path = folder / f"{name}.json"
    if not set(name) <= _HEX or not path.is_file():
        raise DataSetError(f"expected a version of the dataset in {folder}, got {name!r}")
    try:
        version = Version.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataSetError(f"{path}: expected a version of the dataset, got something else") from error
    if version.name != name or version.content != path.read_bytes():
        raise DataSetError(f"{path} was changed after it was written: its content is that of {version.name}")
    return version


def versions_in(folder: Path) -> Iterator[Version]:
    """Read all versions, the oldest first.

    Raises:
        DataSetError: the file of a version was changed.
    """
    paths = (path for path in folder.glob("*.json") if len(path.stem) == _NAME_CHARS and set(path.stem) <= _HEX)
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        yield read_version(folder, path.stem)
