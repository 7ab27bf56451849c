"""Define the stored form of a recognition, from which subtitles are made without a second recognition."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.decoding import UNSPECIFIED, DecodingOptions
from glas.domain.transcription import Recognition


class KeptRecognition(BaseModel):
    """The content of the object `{id}_transcription.json` of a message in the object store.

    Increase `schema_version` if older programs would misread the content after a change of the format. A new field with
    a default needs no new `schema_version`, because unknown fields are ignored.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    recognition: Recognition = Field(
        description="Recognised text with its segments and words, their times and confidences, and the model with "
        "its version."
    )
    settings: DecodingOptions = Field(
        default=UNSPECIFIED, description="Options with which the recording was recognised, without the keywords."
    )
    n_keywords: int = Field(
        default=0,
        description="Number of keywords that were sent with the recording. The keywords are not stored, because "
        "other people may have corrected them.",
    )
