"""Sample messages: audio files in a directory, for those who have none at hand."""

from pathlib import Path

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

_SUFFIXES = frozenset({".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav", ".webm"})


class Sample(BaseModel):
    """One message to try."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the file; it lies at `/samples/{name}`.")
    title: str = Field(description="The name without suffix, hyphens and underscores.")
    size_bytes: int = Field(ge=0)


def list_samples(directory: Path | None) -> list[Sample]:
    """The samples in order of their names; none if there is no such directory."""
    if directory is None or not directory.is_dir():
        return []
    files = sorted(file for file in directory.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    return [
        Sample(name=file.name, title=file.stem.replace("-", " ").replace("_", " "), size_bytes=file.stat().st_size)
        for file in files
    ]


def find_sample(directory: Path | None, name: str) -> Path:
    """The file of a sample.

    Only a name that the list contains is accepted, so no name can lead out of the directory.

    Raises:
        HTTPException: there is no such sample (404).
    """
    names = [sample.name for sample in list_samples(directory)]
    if directory is None or name not in names:
        raise HTTPException(404, f"expected one of the samples {names}, got {name!r}")
    return directory / name
