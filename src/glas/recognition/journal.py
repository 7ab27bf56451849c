"""The journal: a file that lists each decision about replacing the champion, who made the decision, and why."""

import contextlib
import getpass
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.errors import ModelError
from glas.domain.model_ref import ModelRef
from glas.system.files import append_line, make_directory

FILE = "promotions.jsonl"


class Promotion(BaseModel):
    """One decision about replacing the champion by a candidate."""

    model_config = ConfigDict(frozen=True)

    time: str = Field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%S%z"))
    by: str = Field(default_factory=getpass.getuser, description="User of the operating system who made the decision.")
    champion: ModelRef = Field(description="Model that was the champion before the decision.")
    candidate: ModelRef = Field(description="Model about which the decision was made.")
    event: Literal["judged", "released", "forced", "taken_back"]
    failed: tuple[str, ...] = Field(
        default=(), description="Names of the conditions of the gate that the candidate did not meet."
    )
    reason: str | None = Field(
        default=None,
        description="Reason why the candidate was made the champion against the gate, or was taken back. null for "
        "other decisions.",
    )


def write(models_dir: Path, promotion: Promotion) -> None:
    """Add a decision to the journal in a directory of models."""
    make_directory(models_dir)
    append_line(models_dir / FILE, promotion.model_dump_json())


def read(models_dir: Path) -> list[Promotion]:
    """Return all decisions in the journal, the oldest first.

    Raises:
        ModelError: a complete line of the journal is not a decision.
    """
    path = models_dir / FILE
    if not path.is_file():
        return []
    try:
        return [Promotion.model_validate(entry) for entry in _entries(path.read_text(encoding="utf-8"))]
    except (OSError, ValidationError) as error:
        raise ModelError(f"{path}: expected a decision about a model in each line: {error}") from error


def _entries(text: str) -> Iterator[Any]:
    """Parse each line of the journal; skip a line that is no JSON, because a crash can leave an incomplete line."""
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)


def last_release(models_dir: Path) -> Promotion | None:
    """Return the last decision that changed the champion.

    Return None if that decision was taken back, or if no such decision is recorded.
    """
    changes = [one for one in read(models_dir) if one.event != "judged"]
    return changes[-1] if changes and changes[-1].event != "taken_back" else None


def was_released(models_dir: Path, candidate: ModelRef) -> bool:
    """Return whether a model ever became the champion by passing the gate, even if it is not the champion now."""
    return any(one.event == "released" and one.candidate == candidate for one in read(models_dir))
