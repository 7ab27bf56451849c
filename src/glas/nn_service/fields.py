"""The fields of forms that request recognition."""

from typing import Annotated

from fastapi import File, Form, Query, UploadFile
from pydantic import BeforeValidator, WithJsonSchema

from glas.domain.canary import N_BUCKETS
from glas.domain.decoding import MOST_KEYWORDS
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import VERSION_PATTERN, OwnModel
from glas.nn_service.formats import Granularity, Include, ResponseFormat

MAX_PROMPT = 2000  # characters; Whisper reads its last 224 tokens only
MAX_KEYWORDS = 6000  # characters of all likely words
_MOST_LISTED = 100

Recording = Annotated[
    UploadFile,
    File(
        description="Audio or video; the format is found from the bytes.",
        # Generators of clients know a file by this rather than by its media type.
        json_schema_extra={"format": "binary"},
    ),
]
Model = Annotated[
    str,
    Form(
        description="A name from `/v1/models`. `auto`, or the name of a hosted model that is not on this server, "
        "means the default model.",
        examples=["auto", "embedded", "whisper-1"],
    ),
]
Language = Annotated[
    str,
    Form(
        max_length=20,
        description="Spoken language, such as `ru`; `auto` means that the model detects it, if it can. Without this "
        "field the language is Russian, unless the model is sure that another language is spoken. Then a model for "
        "this language is used, if there is one on disk; otherwise the answer contains a `warning`.",
        json_schema_extra={"format": "bcp47"},
        examples=["ru"],
    ),
]
Prompt = Annotated[
    str,
    Form(
        max_length=MAX_PROMPT,
        description="Preceding text, which shows the style and the spelling of names. Only for Whisper.",
    ),
]
Hotwords = Annotated[
    str,
    Form(
        max_length=MAX_KEYWORDS,
        description="The keywords in one line, separated by commas; an alternative to `keywords[]`.",
    ),
]
Form_ = Annotated[ResponseFormat, Form()]
Temperature = Annotated[float, Form(ge=0, le=1, description="0 means decoding without randomness. Only for Whisper.")]
Granularities = Annotated[
    list[Granularity],
    Form(
        alias="timestamp_granularities[]",
        default_factory=list,
        description="Units that have times in `verbose_json`; without this field, segments.",
    ),
]
Includes = Annotated[
    list[Include],
    Form(
        alias="include[]", default_factory=list, description="`logprobs` adds the tokens with their log-probabilities."
    ),
]
Keywords = Annotated[
    list[str],
    Form(
        alias="keywords[]",
        default_factory=list,
        max_length=MOST_KEYWORDS,
        description="Names and terms that may be said, each of one to three words. A keyword replaces words that "
        "sound like it, if they were recognised doubtfully and the sound permits the keyword; `verbose_json` "
        "contains these places. If the model does not support keywords, the header `X-Ignored-Fields` contains the "
        "name of this field.",
    ),
]
Languages = Annotated[
    list[str],
    Form(
        alias="languages[]",
        default_factory=list,
        max_length=_MOST_LISTED,
        description="Languages that may be spoken, unless `language` is sent. The model detects which of them is "
        "spoken.",
        json_schema_extra={"items": {"type": "string", "format": "bcp47"}},
    ),
]


def _true_or_false(value: object) -> object:
    """Refuse any text except `true` and `false`, in capitals or not; pydantic would also accept words such as `yes`."""
    if isinstance(value, str) and value.lower() not in {"true", "false"}:
        raise ValueError("expected true or false")
    return value


Stream = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    Form(description="Whether to send server-sent events, one for each piece of speech."),
]


WhenIdle = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    Form(
        description="Whether to recognise the recording only while no other recording waits. If one waits now, or "
        "comes before the end, the answer is 503.",
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
        description="One of a hundred numbers, into which people are divided; a client sends the same number for all "
        "recordings of a person. While a candidate is tried, it recognises the recordings with some of these "
        "numbers, if `model` means the default model.",
    ),
]

_OWN_MODEL_PATTERN = rf"^(?:.{{1,512}}@{VERSION_PATTERN})?$"
_OWN_MODEL = (
    "Name, `@` and version of a model that was made for one person or chat. It answers if `model` means the default "
    "model, if that has the version `instead_of`, and if it is in memory; otherwise it is loaded for later recordings."
)
OwnModelField = Annotated[str, Form(alias="own_model", pattern=_OWN_MODEL_PATTERN, description=_OWN_MODEL)]
OwnModelQuery = Annotated[str, Query(alias="own_model", pattern=_OWN_MODEL_PATTERN, description=_OWN_MODEL)]
_INSTEAD_OF = "Version of the default model that `own_model` was judged better than."
InsteadOfField = Annotated[str, Form(pattern=f"^(?:{VERSION_PATTERN})?$", description=_INSTEAD_OF)]
InsteadOfQuery = Annotated[str, Query(pattern=f"^(?:{VERSION_PATTERN})?$", description=_INSTEAD_OF)]


def own_model(name: str, instead_of: str) -> OwnModel | None:
    """Return the own model that two fields of a request name; None if the fields are empty."""
    if not name:
        return None
    model, _, version = name.rpartition("@")
    return OwnModel(model=ModelRef(name=model, version=version), instead_of=instead_of)
