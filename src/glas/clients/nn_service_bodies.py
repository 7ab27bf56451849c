"""Bodies of requests to nn_service about recognition, and of its answers.

The bodies about models are in `glas.clients.nn_service_model_bodies`.

The fields of recognitions have the names of OpenAI's API: https://platform.openai.com/docs/api-reference/audio (as of
2026-11). Some fields are not part of OpenAI's format, and OpenAI's clients ignore them. Segments and words have the
additional field `confidence`. The whole answer has the additional fields `model`, `model_version`, `confidence`,
`fingerprint`, `processing_seconds`, `elapsed_seconds`, `warning` and `keywords`.
"""

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glas.domain.corrections import Sound
from glas.domain.errors import ServiceFaultError
from glas.domain.model_ref import ModelRef
from glas.domain.people import Locale

# Names of languages in OpenAI's `verbose_json`; for other languages, the answer has the code.
LANGUAGE_NAMES: Final = {
    "ru": "russian",
    "en": "english",
    "uk": "ukrainian",
    "be": "belarusian",
    "kk": "kazakh",
    "de": "german",
}

_FAULTS_TOLD: Final = 3


class Body(BaseModel):
    """Base class of the bodies: JSON objects with the fields of their class and without other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, answer: object) -> Self:
        """Parse an answer of the service; ignore fields of a later version.

        Raises:
            ServiceFaultError: a field is missing or has a wrong value.
        """
        try:
            return cls.model_validate(answer, extra="ignore")
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            told = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:_FAULTS_TOLD])
            # The text of pydantic's error would contain the answer, and so a person's words.
            raise ServiceFaultError(f"expected {cls.__name__} from nn_service, got another answer: {told}") from None

    def written(self) -> dict[str, Any]:
        """Return the body as a JSON object, without the fields that were not set."""
        return self.model_dump(mode="json", exclude_unset=True)


class Usage(Body):
    """The amount of audio that was recognised."""

    type: Literal["duration"]
    seconds: float = Field(ge=0, description="Length of the audio in seconds.")


class Logprob(Body):
    """A token with its log-probability."""

    token: str
    logprob: float = Field(le=0, description="Natural logarithm of the probability of the token; at most 0.")
    bytes: list[int] = Field(description="Bytes of the token's text in UTF-8.")


class TranscriptionBody(Body):
    """Answer to a request with `response_format=json`."""

    text: str
    usage: Usage
    logprobs: list[Logprob] = Field(
        default=[],
        description="Tokens with their log-probabilities. The field is present only if the request contains "
        "`include[]=logprobs`.",
    )


class WordBody(Body):
    """A word with its times in seconds."""

    word: str
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    confidence: float | None = Field(
        ge=0, le=1, description="Confidence of the word (0..1). null if the model does not give confidences."
    )


class SegmentBody(Body):
    """A segment; times are in seconds."""

    id: int
    seek: int = Field(description="Always 0. The field exists only for compatibility with OpenAI.")
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    text: str
    tokens: list[int] = Field(description="Always empty. The field exists only for compatibility with OpenAI.")
    temperature: float = Field(
        ge=0, description="Temperature of decoding. 0 means that the text was decoded without randomness."
    )
    avg_logprob: float = Field(le=0)
    compression_ratio: float
    no_speech_prob: float = Field(ge=0, le=1)
    confidence: float | None = Field(ge=0, le=1)


class KeywordBody(Body):
    """A keyword that replaced recognised words; times are in seconds."""

    heard: str = Field(description="Recognised words that the keyword replaced.")
    text: str = Field(description="Keyword that is in the text instead of the recognised words.")
    start: float = Field(ge=0)
    end: float = Field(ge=0)


class WarningBody(Body):
    """A warning that the whole text may be wrong, with its reason."""

    code: Literal["language_not_written"]
    language: str = Field(description="ISO 639-1 code of the language that is probably spoken in the recording.")
    message: str


class VerboseBody(Body):
    """Answer to a request with `response_format=verbose_json`."""

    task: Literal["transcribe", "translate"]
    language: str = Field(
        description="English name of the language that is spoken, as far as it is known; `english` for a "
        "translation. If OpenAI has no name for the language, it is the ISO 639-1 code."
    )
    duration: float = Field(ge=0, description="Length of the audio in seconds.")
    text: str
    usage: Usage
    model: str = Field(description="Name of the model that recognised the recording.")
    model_version: str | None = Field(
        description="Version of the model: a hash of the files with its weights. null if it is not known."
    )
    confidence: float | None = Field(
        ge=0, le=1, description="Confidence of the whole text (0..1). null if the model does not give confidences."
    )
    fingerprint: str | None = Field(
        description="sha256 of the decoded samples. It is equal for two files with the same sound. null if it is "
        "not known."
    )
    processing_seconds: float = Field(
        ge=0, description="Processing time in seconds, summed over all processors. Time in the queue does not count."
    )
    elapsed_seconds: float = Field(ge=0, description="Time in seconds from the end of the upload to this answer.")
    warning: WarningBody | None = Field(
        description="Warning that probably another language is spoken than the language in which the model wrote "
        "the text, and that no model for the spoken language is on disk. null if there is no such doubt."
    )
    keywords: list[KeywordBody] = Field(
        default=[],
        description="Keywords of the request that replaced recognised words. The field is absent if none did.",
    )
    segments: list[SegmentBody] = Field(
        default=[],
        description="Segments of the text with times. The field is absent if the request asks only for words.",
    )
    words: list[WordBody] = Field(
        default=[],
        description="Words with times. The field is present only if the request contains "
        "`timestamp_granularities[]=word`.",
    )
    logprobs: list[Logprob] = Field(
        default=[],
        description="Tokens with their log-probabilities. The field is present only if the request contains "
        "`include[]=logprobs`.",
    )


class ComparisonBody(Body):
    """The result of comparing a given text with the sound of a recording."""

    sound: Sound
    text: str = Field(description="Text that the model recognises in the recording.")
    lost: float | None = Field(
        description="Natural logarithm of the probability of the recognised text, divided by the probability of "
        "the given text. The higher it is, the less the given text fits the recording. null if the texts could not "
        "be compared."
    )
    n_words: int | None = Field(
        description="Number of words in which the given text and the recognised text differ. null if the texts "
        "could not be compared."
    )


class PredictionBody(Body):
    """The answer of the route `/predict`, in the format of the system that Glas replaces."""

    prediction: str


class TitleBody(Body):
    """The name by which people see a model, in each language. The name never contains a path."""

    ru: str
    en: str

    def __getitem__(self, locale: Locale) -> str:
        """Return the title in one language."""
        return self.ru if locale is Locale.RU else self.en


class ReadyBody(Body):
    """Answer of `GET /ready` if the service can recognise a recording now; otherwise the answer is an error."""

    status: Literal["ready"]


class HealthBody(Body):
    """State of the service; `ReadyBody` says whether a recording can be recognised now."""

    status: Literal["ok"]
    model: str = Field(description="Name of the default model.")
    model_version: str | None = Field(
        description="Version of the default model: a hash of the files with its weights. null while the model is "
        "not loaded."
    )
    title: TitleBody
    version: str
    in_flight: int = Field(ge=0)

    @property
    def served(self) -> ModelRef | None:
        """The default model with its version; None while it is not loaded."""
        return None if self.model_version is None else ModelRef(name=self.model, version=self.model_version)
