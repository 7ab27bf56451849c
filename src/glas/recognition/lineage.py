"""Read and write the lineage of a fine-tuned model: a file that names its base model and its training recordings."""

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
    data: str | None = Field(
        default=None,
        description="Name of the dataset version on which the model was trained. null if it was trained on "
        "directories of recordings.",
    )
    speakers: tuple[str, ...] = Field(
        default=(), description="Pseudonyms of the speakers of the recordings, as far as they are known."
    )
    recordings: tuple[str, ...] = Field(
        description="sha256 of each recording that was used to train the model or to choose it, sorted."
    )
    texts: tuple[str, ...] = Field(description="sha256 of each reference after normalisation, sorted.")
    kept: tuple[str, ...] = Field(
        default=(),
        description="Names of the sets of recordings on which the fine-tuned model must not become worse than the "
        "base model.",
    )
    recipe: dict[str, Any] = Field(description="Settings of the training.")
    result: dict[str, Any] = Field(
        description="Measured results: error rates and losses of the base model, and of the model with each share "
        "of the learnt change of the weights that was tried."
    )


def read_lineage(directory: Path) -> Lineage | None:
    """Read the lineage of the model in a directory; return None if the model was not fine-tuned by Glas.

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
    """Write the lineage of a model into the directory of the model."""
    text = json.dumps(lineage.model_dump(mode="json"), ensure_ascii=False, indent=1)
    (directory / FILE).write_text(text + "\n", encoding="utf-8")
