"""Bodies of requests and answers about models in the object store."""

from typing import Annotated, Final

from pydantic import Field

from glas.clients.bodies import RequestBody, Sha256, Value
from glas.domain.model_ref import VERSION_PATTERN, ModelRef

PART_BYTES: Final = 8 * 1024 * 1024
"""Largest part of a file, in bytes. Files are stored in parts, so that no process has a whole file in memory."""

_SEGMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"

Version = Annotated[str, Field(pattern=f"^{VERSION_PATTERN}$", description="Version of the model's weights.")]
FilePath = Annotated[
    str,
    Field(
        pattern=rf"^{_SEGMENT}(/{_SEGMENT}){{0,3}}$",
        description="Path of the file in the directory of the model. No name in the path begins with a dot.",
    ),
]


class ModelFile(RequestBody):
    """A file of a model."""

    path: FilePath
    parts: tuple[Sha256, ...] = Field(max_length=4096, description="sha256 of each part of the file, in order.")


class ModelFiles(RequestBody):
    """All files of a model."""

    files: tuple[ModelFile, ...] = Field(min_length=1, max_length=100)


class ServingModels(Value):
    """The models that every server of nn_service must have on its disk."""

    champion: ModelRef | None = Field(description="The model that serves. null if no choice is recorded.")
    candidates: tuple[ModelRef, ...] = Field(description="Models that passed the gate and wait for a decision.")
