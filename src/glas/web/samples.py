"""Sample recordings: audio files in a directory, for people who want to try Glas without a recording of their own.

Each line of the file `texts.jsonl` in the directory contains the words of one sample: `{"file": "message-1.ogg",
"text": "…"}`.
"""

import json
from pathlib import Path
from typing import Final

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

_SUFFIXES: Final = frozenset({".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav", ".webm"})
_TEXTS_FILE: Final = "texts.jsonl"


class Sample(BaseModel):
    """One sample recording; `text` is what is said in the recording, or null if this is not known."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Name of the file. Its address is `/samples/{name}`.")
    size_bytes: int = Field(ge=0)
    text: str | None = Field(default=None, description="Words that are said in the file. null if they are not known.")


def list_samples(directory: Path | None) -> list[Sample]:
    """Return the samples, sorted by name; return an empty list if there is no such directory."""
    if directory is None or not directory.is_dir():
        return []
    texts = _texts(directory / _TEXTS_FILE)
    files = sorted(file for file in directory.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    return [Sample(name=file.name, size_bytes=file.stat().st_size, text=texts.get(file.name)) for file in files]


def find_sample(directory: Path | None, name: str) -> Path:
    """Return the path of the file of a sample.

    Only a name in the list of samples is accepted, so no file outside the directory can be read.

    Raises:
        HTTPException: there is no such sample (404).
    """
    names = [sample.name for sample in list_samples(directory)]
    if directory is None or name not in names:
        raise HTTPException(404, f"expected one of the samples {names}, got {name!r}")
    return directory / name


def _texts(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["file"]: row["text"] for row in rows}
