"""The fields of forms that request recognition."""

from typing import Annotated

from fastapi import File, Form, Query, UploadFile
from pydantic import BeforeValidator, WithJsonSchema

from glas.domain.canary import N_BUCKETS
from glas.domain.decoding import MOST_KEYWORDS
from glas.domain.model_ref import VERSION_PATTERN, ModelRef
from glas.domain.own_models import OwnModel
from glas.nn_service.formats import Granularity, Include, ResponseFormat

MAX_PROMPT = 2000  # characters; Whisper reads its last 224 tokens only
MAX_KEYWORDS = 6000  # characters of all likely words
_MOST_LISTED = 100

Recording = Annotated[
    UploadFile,
    File(
        description="Audio or video file. Its format is determined from its bytes.",
        # Many programs that generate clients detect a file field only by this format, and not by a media type.
        json_schema_extra={"format": "binary"},
    ),
]
Model = Annotated[
    str,
    Form(
        description="Name of a model from `/v1/models`. `auto` means the default model. The name of another "
        "provider's hosted model, such as `whisper-1`, means the default model, too, if no model of this name is on "
        "the server.",
        examples=["auto", "embedded", "whisper-1"],
    ),
]
Language = Annotated[
    str,
    Form(
        max_length=20,
        description="Spoken language, such as `ru`. `auto` means that the model detects the language, if it can. "
        "Without this field the language is Russian, unless the model is sure that another language is spoken. Then "
        "a model for that language is used, if there is one on disk. Otherwise the answer contains a `warning`.",
        json_schema_extra={"format": "bcp47"},
        examples=["ru"],
    ),
]
Prompt = Annotated[
    str,
    Form(
        max_length=MAX_PROMPT,
        description="Text before the recording, as an example of style and of the spelling of names. Only Whisper "
        "models use it.",
    ),
]
Hotwords = Annotated[
    str,
    Form(
        max_length=MAX_KEYWORDS,
        description="Keywords in one line, separated by commas. It is an alternative to `keywords[]`.",
    ),
]
Form_ = Annotated[ResponseFormat, Form()]
Temperature = Annotated[
    float,
    Form(
        ge=0,
        le=1,
        description="Randomness of decoding (0..1). 0 means that decoding is not random. Only Whisper models use it.",
    ),
]
Granularities = Annotated[
    list[Granularity],
    Form(
        alias="timestamp_granularities[]",
        default_factory=list,
        description="Units that get times in the format `verbose_json`: `segment` or `word`. Without this field, "
        "segments get times.",
    ),
]
Includes = Annotated[
    list[Include],
    Form(
        alias="include[]",
        default_factory=list,
        description="Additional data in the answer. `logprobs` adds the tokens with their log-probabilities.",
    ),
]
Keywords = Annotated[
    list[str],
    Form(
        alias="keywords[]",
        default_factory=list,
        max_length=MOST_KEYWORDS,
        description="Names and terms that may be said in the recording, each of one to three words. A keyword "
        "replaces recognised words that sound similar, if the model is not sure of them and the sound permits the "
        "keyword. The format `verbose_json` lists the replaced words. If the model does not support keywords, the "
        "header `X-Ignored-Fields` contains the name of this field.",
    ),
]
Languages = Annotated[
    list[str],
    Form(
        alias="languages[]",
        default_factory=list,
        max_length=_MOST_LISTED,
        description="Languages that may be spoken in the recording. One language: the text is in this language. "
        "Several with Russian: the text is Russian, and the model checks whether Russian is spoken. Several without "
        "Russian: the model detects the language. The field has no effect if `language` is sent.",
        json_schema_extra={"items": {"type": "string", "format": "bcp47"}},
    ),
]


def _true_or_false(value: object) -> object:
    """Refuse any text except `true` and `false`, in upper or lower case.

    Without this check, pydantic would also accept words such as `yes`.

    """
    if isinstance(value, str) and value.lower() not in {"true", "false"}:
        raise ValueError("expected true or false")
    return value


Stream = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    Form(description="Whether the text is sent as server-sent events, one event for each piece of speech."),
]


WhenIdle = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    Form(
        description="Whether the recording is recognised only while no other recording waits. If another "
        "recording waits now, or begins to wait before the end, the answer is the status 503.",
    ),
]
BUCKET_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": N_BUCKETS - 1})
"""The schema of an optional bucket. It does not permit null, because forms and query strings cannot contain null."""

Bucket = Annotated[
    int | None,
    BUCKET_SCHEMA,
    Form(
        ge=0,
        lt=N_BUCKETS,
        description="Number of a group of people, 0 to 99. A client divides people into a hundred groups and "
        "sends the same number for all recordings of a person. While a candidate is tried, it recognises the "
        "recordings of some groups, if `model` means the default model. Without this field, the candidate is not "
        "used.",
    ),
]

_OWN_MODEL_PATTERN = rf"^(?:.{{1,512}}@{VERSION_PATTERN})?$"
_OWN_MODEL = (
    "Name, `@` and version of a model that was made for one person or chat. This model is used if three conditions "
    "are met: `model` means the default model, the default model has the version `instead_of`, and the model for the "
    "person or chat is in memory. If only the last condition is not met, the model is loaded for later recordings. "
    "Empty means that there is no such model."
)
OwnModelField = Annotated[str, Form(alias="own_model", pattern=_OWN_MODEL_PATTERN, description=_OWN_MODEL)]
OwnModelQuery = Annotated[str, Query(alias="own_model", pattern=_OWN_MODEL_PATTERN, description=_OWN_MODEL)]
_INSTEAD_OF = (
    "Version of the default model with which `own_model` was compared and found better. Empty if `own_model` is empty."
)
InsteadOfField = Annotated[str, Form(pattern=f"^(?:{VERSION_PATTERN})?$", description=_INSTEAD_OF)]
InsteadOfQuery = Annotated[str, Query(pattern=f"^(?:{VERSION_PATTERN})?$", description=_INSTEAD_OF)]


def own_model(name: str, instead_of: str) -> OwnModel | None:
    """Return the own model that the fields `own_model` and `instead_of` describe; None if `name` is empty.

    `name` is the value of `own_model`: the name of the model, `@`, and the version of the model.
    """
    if not name:
        return None
    model, _, version = name.rpartition("@")
    return OwnModel(model=ModelRef(name=model, version=version), instead_of=instead_of)
