"""Bodies of requests to db_assist, and of its answers, if they are not types of `glas.domain`."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field, WithJsonSchema

from glas.clients.bodies import ChatId, Name, RequestBody, RowId, Sha256, SizeBytes, Text, TgId, Value
from glas.domain.ledger import Refusal
from glas.domain.messages import MediaKind, Score, Transcription
from glas.domain.people import Locale, Role, User
from glas.domain.reviews import Verdict

ItemT = TypeVar("ItemT")

_MAX_GRANT_HUNDREDTHS = 1_000_000_00

# Pydantic would write the lower bound of an enumeration into the JSON schema with a keyword that is not part of JSON
# Schema.
GivenScore = Annotated[
    Score, Field(ge=Score.BAD), WithJsonSchema({"type": "integer", "enum": [score.value for score in Score if score]})
]


class LocaleChoice(RequestBody):
    """The language that a person chose."""

    locale: Locale = Locale.RU


class ConsentChoice(RequestBody):
    """A person's decision about a consent, and the version of the consent's wording that they saw."""

    granted: bool
    text_version: Name


class RoleChoice(RequestBody):
    """The new role of a person."""

    role: Role


class ReviewerChoice(RequestBody):
    """Whether a person has the right to review messages."""

    is_reviewer: bool


class ChatSettings(RequestBody):
    """Settings of the bot in one chat."""

    answers_automatically: bool = Field(
        default=True,
        description="Whether the bot answers every voice message in the chat. Otherwise it answers only if "
        "somebody asks for the text.",
    )


class ChatMove(RequestBody):
    """New id of a chat: a group gets a new id from Telegram when it becomes a supergroup."""

    new_chat_id: ChatId


class NewTranscription(RequestBody):
    """A new message, identified by (bot_id, chat_id, message_id, attempt)."""

    tg_id: TgId
    bot_id: RowId
    chat_id: ChatId
    message_id: RowId
    attempt: int = Field(default=1, ge=1, le=1000)
    file_id: Name
    file_unique_id: Name
    media_kind: MediaKind
    is_forwarded: bool = False
    answer_message_id: RowId | None = Field(
        default=None,
        description="Telegram's id of the bot's message that answers the recording. null means that there is no "
        "answer yet.",
    )
    answer_chat_id: ChatId | None = Field(
        default=None,
        description="Telegram's id of the chat of the answer. null means that it is the chat of the recording.",
    )


class AnswerPlace(RequestBody):
    """The chat and the message id of the answer to a recording."""

    answer_message_id: RowId
    answer_chat_id: ChatId | None = Field(
        default=None,
        description="Telegram's id of the chat of the answer. null means that it is the chat of the recording.",
    )


class Archived(RequestBody):
    """The object in the object store that contains the original bytes of a message's recording."""

    audio_key: Name
    audio_sha256: Sha256
    audio_size_bytes: SizeBytes


class UsageRecord(RequestBody):
    """A recording that counts towards a daily limit.

    The caller computes a pseudonym of the recording and a pseudonym of its party.
    """

    recording: Sha256 = Field(
        description="Pseudonym of the recording. If the same recording is recorded again, it still counts once."
    )
    party: Sha256 = Field(description="Pseudonym of the sender: of a person, or of a chat if the person is not known.")
    audio_s: float = Field(ge=0, le=1e6, allow_inf_nan=False)


class Finished(RequestBody):
    """Result of the recognition of a message."""

    text: Annotated[Text, Field(max_length=1_000_000)]
    duration_s: float = Field(
        ge=0, le=1e6, allow_inf_nan=False, description="Length of the recording in seconds, counted in decoded samples."
    )
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    model: Name
    model_version: Annotated[Name | None, Field(max_length=64)] = None
    fingerprint: Sha256 | None = Field(
        default=None, description="sha256 of the decoded samples. null if it is not known."
    )
    keywords_sha256: Sha256 | None = Field(
        default=None,
        description="sha256 of the set of keywords that were sent with the recording. null if no keywords were sent.",
    )
    usage: UsageRecord | None = Field(
        default=None,
        description="Amount of sound that counts towards the daily limit of the sender. It is stored together "
        "with the result. null means that nothing is counted.",
    )


class Failed(RequestBody):
    """Reason why the recognition of a message gave no text, as the `code` of an error."""

    failure_code: Name


class Rating(RequestBody):
    """A person's rating of a text."""

    tg_id: TgId
    score: GivenScore


class Grant(RequestBody):
    """Coins that an administrator gives or takes back."""

    admin_tg_id: TgId
    amount_hundredths: int = Field(ge=-_MAX_GRANT_HUNDREDTHS, le=_MAX_GRANT_HUNDREDTHS)
    note: Name
    key: Name = Field(
        description="Key that identifies this grant. If a grant is repeated with the same key, it is paid only once."
    )


class Reward(Value):
    """Result of a rating or of a correction: the changed message, and the payment for the rating or correction."""

    transcription: Transcription
    paid_hundredths: int = Field(
        description="Payment for this rating or correction, in hundredths of a coin. A repeated call returns the "
        "same number, but nothing is paid again."
    )
    balance_hundredths: int = Field(
        description="The person's number of coins after the payment, in hundredths of a coin."
    )
    became_beta_tester: bool = Field(
        default=False, description="Whether this payment gave the person the role of a beta-tester."
    )
    refusal_reason: Refusal | None = Field(
        default=None, description="Reason why nothing was paid. null if something was paid."
    )
    is_first: bool = Field(description="Whether this is the first rating or the first correction of the message.")


class Usage(Value):
    """The recordings that a party sent in the last 24 hours: their number and length."""

    n_messages: int
    audio_s: float = Field(description="Total length of the recognised recordings, in seconds.")


class Standing(Value):
    """A person and their usage, which decide whether a recording is admitted."""

    user: User | None = Field(description="The person. null if the person is not registered.")
    usage: Usage


class Change(Value):
    """A finished message in its present state, or the fact that it was deleted."""

    transcription_id: int
    transcription: Transcription | None = Field(
        description="The message. null means that the message was deleted, so that its objects and exported "
        "copies must be deleted, too."
    )
    training_consent: bool = Field(
        default=False, description="Whether the speaker agrees at present that the recordings are used for training."
    )
    verdict: Verdict | None = Field(
        default=None,
        description="Verdict of a reviewer. `other_voice` if any reviewer gave this verdict. `bad_audio` or "
        "`not_speech` if it was the last verdict of a reviewer and no person wrote the words. Otherwise null.",
    )

    @property
    def is_exportable(self) -> bool:
        """Whether the message may be used for training: the speaker consents, and the recording is their own."""
        is_own = self.transcription is not None and not self.transcription.is_forwarded
        return is_own and self.training_consent and self.verdict is not Verdict.OTHER_VOICE


class Page(Value, Generic[ItemT]):
    """A part of a long list; `next_cursor` identifies the next part."""

    items: tuple[ItemT, ...]
    next_cursor: str = Field(
        description="Cursor for the next call, which returns the items after those of this page. The cursor does "
        "not expire."
    )
    has_more: bool


class Statistics(Value):
    """Counts for operators, and for the bot's command `/stats`."""

    n_users: int
    n_active_users: int = Field(description="Number of people who sent a recording in the last 24 hours.")
    n_transcriptions: dict[str, int] = Field(description="Number of messages with each status.")
    n_scores: dict[int, int] = Field(
        description="Number of finished messages with each score. The score 0 means that the message is not rated."
    )
    n_corrections: int
    audio_s: float = Field(description="Total length of all recognised recordings, in seconds.")
    paid_hundredths: int = Field(description="Sum of all payments to people, in hundredths of a coin.")


class Discrepancy(Value):
    """A person whose cash differs from the sum of their ledger entries."""

    user_id: int
    cash_hundredths: int
    ledger_hundredths: int


class LedgerCheck(Value):
    """Result of the comparison of people's cash with their ledger entries."""

    n_users: int
    n_transactions: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether the cash of each person equals the sum of their ledger entries."""
        return not self.discrepancies


class Health(Value):
    """State of db_assist."""

    status: str
    database: str
    version: str
