"""Base classes, and types of fields, for the bodies of requests and answers."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_INT64 = 2**63

# PostgreSQL cannot store NUL, and no text needs it.
Text = Annotated[str, AfterValidator(lambda text: text.replace("\x00", ""))]
# At least one letter is left when NUL is removed. pydantic checks this by the length, and JSON Schema by the pattern.
SomeText = Annotated[Text, Field(min_length=1, json_schema_extra={"pattern": r"[^\u0000]"})]
Name = Annotated[SomeText, Field(max_length=512)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TgId = Annotated[int, Field(ge=1, lt=2**52, description="Telegram's id of a person.")]
RowId = Annotated[int, Field(ge=1, lt=_INT64)]
ChatId = Annotated[
    int, Field(ge=-_INT64, lt=_INT64, description="Telegram's id of a chat. Ids of groups are negative.")
]
SizeBytes = Annotated[int, Field(ge=0, lt=_INT64)]


class Value(BaseModel):
    """Base class of JSON objects whose fields cannot be changed after the object was made."""

    model_config = ConfigDict(frozen=True)


class RequestBody(Value):
    """The body of a request; unknown fields are refused, so that a caller cannot set a balance or a role."""

    model_config = ConfigDict(extra="forbid")
