"""Define the options of a recognition, and the abilities of a model."""

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

RUSSIAN: Final = "ru"

MOST_KEYWORDS: Final = 200
"""Largest number of keywords of one recording; further keywords are ignored."""


class DecodingOptions(BaseModel):
    """Options of recognition; an engine ignores options that its model does not support.

    Pieces of speech are recognised in one batch only if their options are equal.
    """

    model_config = ConfigDict(frozen=True)

    language: str | None = Field(
        default=RUSSIAN,
        description="ISO 639-1 code of the language in which the text is written. null means that the engine "
        "detects the language, if it can.",
    )
    checks_language: bool = Field(
        default=False,
        description="Whether the engine checks, if it can, that `language` is spoken. This is done if the caller "
        "named no language, so that `language` is only an assumption. The engine reports another language.",
    )
    task: Literal["transcribe", "translate"] = Field(
        default="transcribe",
        description="`transcribe`: the text is in the spoken language. `translate`: the text is in English; the "
        "model needs the ability `Abilities.translates`.",
    )
    prompt: str = Field(
        default="",
        description="Text before the recording, as an example of style and of the spelling of names. Empty if "
        "there is none.",
    )
    hotwords: str = Field(
        default="",
        description="Words that may be said and are hard to spell, such as names, separated by commas. Empty if "
        "there are none. See `glas.engines.keywords`.",
    )
    temperature: float = Field(
        default=0, ge=0, le=1, description="Randomness of decoding (0..1). 0 means that decoding is not random."
    )
    wants_words: bool = Field(
        default=True,
        description="Whether segments must contain their words with times. An engine is faster without words.",
    )
    compared: str = Field(
        default="",
        description="Another text for the recording. The model computes its probability, too. Empty means that no "
        "text is compared.",
    )
    wants_tokens: bool = Field(
        default=False, description="Whether segments must contain their tokens with log-probabilities."
    )


PLAIN: Final = DecodingOptions()

UNSPECIFIED: Final = DecodingOptions(checks_language=True)
"""Options if the caller gives no options: Russian, unless another language is certainly spoken."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """Abilities of a loaded model.

    Attributes:
        batch_size: number of pieces of similar length that should be recognised in one batch, if so many pieces wait; 1
            if batches are not faster.
        batch_s: largest number of seconds of audio in one batch. The number is limited because other pieces wait until
            the batch has been recognised.
        languages: codes (ISO 639-1) of the languages that the model recognises.
        translates: whether the model can translate speech in its languages into English.
        takes_prompt: whether the model uses `DecodingOptions.prompt`.
        takes_keywords: whether the model uses `DecodingOptions.hotwords`.
        punctuates: whether the model writes capitals and full stops itself.
    """

    batch_size: int = 1
    batch_s: float = 64.0
    languages: frozenset[str] = frozenset({RUSSIAN})
    translates: bool = False
    takes_prompt: bool = False
    takes_keywords: bool = False
    punctuates: bool = True
