"""Bodies of calls to db_assist about models that the gate has judged, decisions about them, and announcements."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from glas.clients.bodies import Name, RequestBody, RowId, SomeText, TgId, Value
from glas.domain.model_records import AnnouncementKind, FirstState, ModelState, Outcome
from glas.domain.model_ref import ModelRef
from glas.domain.people import Locale

LONGEST_NEWS_CHARS = 1000
"""Largest number of characters of a recognised text in news; messages with longer texts are not chosen for news."""

_MOST_NEWS = 10_000
_MOST_PEOPLE = 1_000_000

NewsText = Annotated[SomeText, Field(max_length=LONGEST_NEWS_CHARS)]
Claim = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{8,64}$",
        description="Random identifier of the run that sends the announcement. Only the same run can store the result.",
    ),
]


class CheckRecord(Value):
    """The result of one check of the gate; the fields are those of `glas.recognition.gate.Check`."""

    condition: Name
    subject: str = ""
    bucket: dict[str, Any] | None = None
    limit: float
    value: float | None
    passed: bool


class VerdictRecord(Value):
    """The verdict of the gate about a model."""

    passed: bool
    wer_before: float = Field(
        description="Word error rate of the current default model on the test set, as a fraction."
    )
    wer_after: float = Field(description="Word error rate of the candidate on the test set, as a fraction.")
    checks: tuple[CheckRecord, ...]


class NewsItem(RequestBody):
    """A message of a person from whom the model learnt, recognised by the previous model and by the new model."""

    transcription_id: RowId
    text_before: NewsText
    text_after: NewsText


class ModelEntry(RequestBody):
    """A model that the gate has judged, and its state after the verdict."""

    name: Name
    version: Annotated[Name, Field(max_length=64)]
    state: FirstState = Field(description="State of the model after the verdict.")
    base: Annotated[SomeText, Field(max_length=600)] | None = None
    dataset_version: Annotated[Name | None, Field(max_length=64)] = None
    lineage: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the training (`recipe`), its measured results (`result`), and the names of the "
        "sets of recordings on which the model must not become worse (`kept`).",
    )
    n_people: int = Field(
        default=0, ge=0, le=_MOST_PEOPLE, description="Number of people with whose messages the model was trained."
    )
    message_ids: tuple[RowId, ...] = Field(
        default=(),
        max_length=_MOST_PEOPLE,
        description="Numbers of messages: one message of each person with whose messages the model was trained.",
    )
    former: ModelRef | None = Field(
        default=None,
        description="Model that was the default model when this model was judged. null if the caller does not name it.",
    )
    verdict: VerdictRecord | None = None
    news: tuple[NewsItem, ...] = Field(
        default=(),
        max_length=_MOST_NEWS,
        description="Texts for news about the model, at most one for each person. Each shows one message by the "
        "previous model and by this model.",
    )
    operator: Name = Field(description="User of the operating system who made the decision.")
    is_forced: bool = False
    reason: Name | None = None

    @property
    def ref(self) -> ModelRef:
        """The name and version of the model."""
        return ModelRef(name=self.name, version=self.version)


class DecisionRecord(Value):
    """A decision about a model."""

    state: ModelState
    is_forced: bool
    user_id: int | None = Field(
        description="Number of the database row of the administrator who decided. null if no administrator "
        "decided in Telegram or on a page."
    )
    operator: str | None = Field(
        description="User of the operating system who decided on the command line, or the part of Glas that "
        "decided automatically. null if an administrator decided in Telegram or on a page."
    )
    reason: str | None
    verdict: VerdictRecord | None
    champion_before: str | None = Field(
        description="Name and version of the model that was the champion before the decision. null if it is not known."
    )
    champion_after: str | None
    creation_datetime: datetime


class ModelRecord(Value):
    """A model with its verdicts and decisions.

    The gate of this installation has judged the model, or has judged the model that replaced it.
    """

    id: int
    name: str
    version: str
    state: ModelState
    base: str | None
    dataset_version: str | None
    lineage: dict[str, Any]
    n_people: int = Field(description="Number of people with whose messages the model was trained.")
    n_withdrawn: int = Field(
        description="Number of people with whose messages the model was trained, and who have since deleted their "
        "data or withdrawn their consent."
    )
    n_news: int = Field(
        description="Number of people to whom the bot sends news about the model, now or when the model becomes "
        "the champion."
    )
    decisions: tuple[DecisionRecord, ...] = Field(description="All decisions about the model, oldest first.")
    creation_datetime: datetime
    champion_datetime: datetime | None = Field(
        description="Time at which the model last became the champion. null if it has never been the champion."
    )

    @property
    def ref(self) -> ModelRef:
        """The name and version of the model."""
        return ModelRef(name=self.name, version=self.version)

    @property
    def verdict(self) -> VerdictRecord | None:
        """The last verdict of the gate."""
        return next((one.verdict for one in reversed(self.decisions) if one.verdict is not None), None)


class _Decider(RequestBody):
    """The person who decides, and their reason."""

    tg_id: TgId | None = Field(
        default=None,
        description="Telegram's id of the administrator who decides in Telegram or on a page. null if `operator` "
        "is given.",
    )
    operator: Name | None = Field(
        default=None,
        description="User of the operating system who decides on the command line, or the part of Glas that "
        "decides automatically. null if `tg_id` is given.",
    )
    reason: Name | None = None
    key: Name | None = Field(
        default=None,
        description="Key that identifies this decision. If a request is repeated with the same key, it has no "
        "further effect.",
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.tg_id is None) == (self.operator is None):
            raise ValueError("expected either tg_id or operator")
        return self


class DecisionRequest(_Decider):
    """A decision about a model that has a model record."""

    state: ModelState
    expected: ModelState | None = Field(
        default=None,
        description="State that the caller expects the model to have now. If the model has another state, the "
        "answer is the status 409. null means that any state is accepted.",
    )
    is_forced: bool = Field(
        default=False,
        description="Whether the model becomes the champion although the gate refused it. In this case `reason` "
        "is required.",
    )

    @model_validator(mode="after")
    def _forced_for_a_reason(self) -> Self:
        if self.is_forced and (self.reason is None or self.state is not ModelState.CHAMPION):
            raise ValueError("expected a reason to let a model serve that the gate refused")
        return self


class ChoiceRequest(_Decider):
    """The model that is the champion from now on, whether or not the gate of this installation has judged it."""

    model: ModelRef
    former: ModelRef | None = Field(
        default=None, description="Model that was the default model until now. null if the caller does not name it."
    )


class DecisionResult(Value):
    """The result of a decision."""

    model: ModelRecord
    champion: ModelRef | None = Field(
        description="Model that is the champion after the decision. null if no model that was judged in this "
        "installation is the champion."
    )


class QuestionRequest(RequestBody):
    """The administrators who are asked whether a candidate should become the champion."""

    bot_id: RowId
    tg_ids: tuple[TgId, ...] = Field(max_length=1000)


class Announcement(Value):
    """A Telegram message of the bot about a model."""

    id: int
    model_id: int | None = Field(description="Number of the model's record. null for news about an own model.")
    kind: AnnouncementKind
    bot_id: int
    tg_id: int = Field(description="Telegram's id of the person to whom the bot sends the message.")
    locale: Locale
    chat_id: int | None = Field(
        default=None,
        description="Telegram's id of the chat with the recording that the news shows. null for a question to an "
        "administrator.",
    )
    recording_message_id: int | None = None
    text_before: str | None = None
    text_after: str | None = None
    message_id: int | None = Field(
        default=None, description="Telegram's id of the message that the bot sent. null if it has not been sent."
    )
    outcome: Outcome | None = None


class ClaimRequest(RequestBody):
    """The request of a process that is about to send an announcement."""

    claim: Claim


class OutcomeRequest(RequestBody):
    """The result of sending an announcement.

    If `outcome` is None, nothing was sent, and the announcement waits to be sent again.
    """

    claim: Claim
    outcome: Outcome | None = None
    message_id: RowId | None = None


class NewsChoice(RequestBody):
    """Whether a person wants news of models that learnt from them."""

    wanted: bool
