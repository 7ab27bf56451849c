"""The lineage of a fine-tuned model, a file in its directory: base model and training recordings."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.errors import ModelLoadError
from glas.domain.model_ref import ModelRef

FILE = "lineage.json"


class Lineage(BaseModel):
    """The base model of a fine-tuned model, and hashes of the recordings on which the fine-tuned model was trained.

    The lineage contains no text and no sound.
    """

    model_config = ConfigDict(frozen=True)

    base: ModelRef
    data: str | None = Field(default=None, description="Name of the dataset version; None for directories.")
    speakers: tuple[str, ...] = Field(default=(), description="Pseudonyms of the speakers, as far as known.")
    recordings: tuple[str, ...] = Field(
        description="sha256 of each file on which the model was trained or chosen, sorted."
    )
    texts: tuple[str, ...] = Field(description="sha256 of each normalised reference, sorted.")
    kept: tuple[str, ...] = Field(
        default=(), description="Names of the kept sets, which determine the share of the change."
    )
    recipe: dict[str, Any] = Field(description="Recipe of the training.")
    result: dict[str, Any] = Field(description="Effect of each share of the change.")


def read_lineage(directory: Path) -> Lineage | None:
    """Read the lineage of the model in a directory; None for a model that was not fine-tuned here.

    Raises:
        ModelLoadError: the file is damaged.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    try:
        return Lineage.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise ModelLoadError(f"{path}: expected the lineage of a fine-tuned model: {error}") from error


def write_lineage(directory: Path, lineage: Lineage) -> None:
    """Write the lineage of the model in a directory."""
    text = json.dumps(lineage.model_dump(mode="json"), ensure_ascii=False, indent=1)
    (directory / FILE).write_text(text + "\n", encoding="utf-8")
