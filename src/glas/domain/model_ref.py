"""Define the reference to a model that recognised a text: the model's name, and the version of its weights."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

VERSION_LENGTH = 12
VERSION_PATTERN: Final = rf"[0-9a-f]{{{VERSION_LENGTH}}}"

MODEL_HEADER = "X-Glas-Model"
"""HTTP header in which an answer names the model that recognised the text."""


class ModelRef(BaseModel):
    """The name of a model with the version of its weights. New weights under the same name have another version."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(
        min_length=1,
        max_length=512,
        description="Uniform name of the model, such as `embedded` or `onnx:gigaam-v3-ctc`.",
    )
    version: str = Field(
        min_length=1, max_length=64, description="First 12 hexadecimal digits of a hash of the model's files."
    )

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
