"""Bodies of requests and answers of db_assist that are not types of `glas.domain`.

Requests with unknown fields are refused, so that a caller cannot set a balance or a role.
"""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from glas.domain.audit import AuditEntry
from glas.domain.corrections import CorrectionChange
from glas.domain.ledger import Refusal, Transaction
from glas.domain.messages import MediaKind, Score, SecondHypothesis, Transcription
from glas.domain.model_records import News, TaughtModel
from glas.domain.own_models import OwnModelRecord
from glas.domain.people import Locale, Purpose, Role, User
from glas.domain.reviews import Verdict
from glas.domain.vocabulary import VocabularyWord

ItemT = TypeVar("ItemT")

_INT64 = 2**63
_MAX_GRANT_HUNDREDTHS = 1_000_000_00

# PostgreSQL cannot store NUL, and no text needs it.
Text = Annotated[str, AfterValidator(lambda text: text.replace("\x00", ""))]
Name = Annotated[Text, Field(min_length=1, max_length=512)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TgId = Annotated[int, Field(ge=1, lt=2**52, description="Telegram's id of a person.")]
RowId = Annotated[int, Field(ge=1, lt=_INT64)]
ChatId = Annotated[int, Field(ge=-_INT64, lt=_INT64, description="Telegram's id of a chat; groups are negative.")]

# Pydantic describes a bound of an enumeration with a word that no reader of schemas knows.
GivenScore = Annotated[
    Score, Field(ge=Score.BAD), WithJsonSchema({"type": "integer", "enum": [score.value for score in Score if score]})
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class LocaleChoice(_Request):
    """The language that a person chose."""

    locale: Locale = Locale.RU


class ConsentChoice(_Request):
    """A person's decision about a consent, and the version of the text that they saw."""

    granted: bool
    text_version: Name


class RoleChoice(_Request):
    """The new role of a person."""

    role: Role


class ReviewerChoice(_Request):
    """Whether a person reviews messages."""

    is_reviewer: bool


class ChatSettings(_Request):
    """Settings of the bot in one chat."""

    answers_automatically: bool = Field(
        default=True, description="Every voice message is answered; otherwise only on request."
    )


class ChatMove(_Request):
    """New number of a chat: a group gets one when it becomes a supergroup."""

    new_chat_id: ChatId


class NewTranscription(_Request):
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
    answer_message_id: RowId | None = Field(default=None, description="Where the answer stands, if it stands yet.")
    answer_chat_id: ChatId | None = Field(default=None, description="Its chat, if that is not the message's.")


class AnswerPlace(_Request):
    """Place of the answer to a message."""

    answer_message_id: RowId
    answer_chat_id: ChatId | None = Field(default=None, description="Its chat, if that is not the message's.")


class Archived(_Request):
    """Object with the original bytes of a message."""

    audio_key: Name
    audio_sha256: Sha256
    audio_size_bytes: Annotated[int, Field(ge=0, lt=_INT64)]


class UsageRecord(_Request):
    """A recording that counts towards a daily limit; its names are pseudonyms that the caller computes."""

    recording: Sha256 = Field(description="A repeated record of the same recording counts once.")
    party: Sha256 = Field(description="The sender: a person, or a chat whose members are not known.")
    audio_s: float = Field(ge=0, le=1e6, allow_inf_nan=False)


class Finished(_Request):
    """Result of recognition."""

    text: Annotated[Text, Field(max_length=1_000_000)]
    duration_s: float = Field(ge=0, le=1e6, allow_inf_nan=False, description="Counted in decoded samples.")
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    model: Name
    model_version: Annotated[Name | None, Field(max_length=64)] = None
    fingerprint: Sha256 | None = Field(default=None, description="sha256 of the decoded samples.")
    keywords_sha256: Sha256 | None = Field(default=None, description="Digest of the words sent along; see `digest`.")
    usage: UsageRecord | None = Field(default=None, description="Counted in the same transaction.")


class Failed(_Request):
    """Reason why there is no text, as the `code` of an error."""

    failure_code: Name


class Rating(_Request):
    """A person's rating of a text."""

    tg_id: TgId
    score: GivenScore


class Grant(_Request):
    """Coins that an administrator gives or takes back."""

    admin_tg_id: TgId
    amount_hundredths: int = Field(ge=-_MAX_GRANT_HUNDREDTHS, le=_MAX_GRANT_HUNDREDTHS)
    note: Name
    key: Name = Field(description="Names this grant: the same key never pays twice.")


class Reward(_Answer):
    """Payment for a rating or a correction."""

    transcription: Transcription
    paid_hundredths: int = Field(description="What this earned; a repeated call tells the same and pays no more.")
    balance_hundredths: int = Field(description="The person's cash now.")
    became_beta_tester: bool = Field(default=False, description="This payment made the person a beta-tester.")
    refusal_reason: Refusal | None = Field(default=None, description="Why nothing was paid.")
    is_first: bool = Field(description="False for every later rating or correction of the same message.")


class RatingResult(Reward):
    """Result of a rating."""


class Usage(_Answer):
    """The recordings that a party sent in the last 24 hours: their number and length."""

    n_messages: int
    audio_s: float = Field(description="Seconds of recognised audio.")


class Standing(_Answer):
    """A person and their usage, which decide whether a recording is admitted."""

    user: User | None = Field(description="None for somebody who has not registered, or is not known.")
    usage: Usage


class Change(_Answer):
    """A finished message in its present state, or the fact that it was deleted."""

    transcription_id: int
    transcription: Transcription | None = Field(description="None: it was deleted; so must be its objects and copies.")
    training_consent: bool = Field(default=False, description="Whether the speaker agrees to training now.")
    verdict: Verdict | None = Field(
        default=None,
        description="`bad_audio` or `not_speech`, if a reviewer said so last and nobody gave the words; `other_voice`, "
        "if any reviewer said so.",
    )

    @property
    def is_exportable(self) -> bool:
        """Whether the message may be used for training: the speaker consents, and the recording is their own."""
        is_own = self.transcription is not None and not self.transcription.is_forwarded
        return is_own and self.training_consent and self.verdict is not Verdict.OTHER_VOICE


class Page(_Answer, Generic[ItemT]):
    """A part of a long list."""

    items: tuple[ItemT, ...]
    next_cursor: str = Field(description="Give it back to get what follows, now or at any later time.")
    has_more: bool


class Statistics(_Answer):
    """Figures for operators and `/stats`."""

    n_users: int
    n_active_users: int = Field(description="Who sent something in the last 24 hours.")
    n_transcriptions: dict[str, int] = Field(description="By status.")
    n_scores: dict[int, int] = Field(description="By score, of finished ones.")
    n_corrections: int
    audio_s: float = Field(description="Seconds of recognised audio.")
    paid_hundredths: int = Field(description="Sum of the ledger.")


class ConsentRecord(_Answer):
    """A person's answer about one consent, at one time."""

    purpose: Purpose
    granted: bool
    text_version: str
    creation_datetime: datetime


class ReviewRecord(_Answer):
    """A review that a person made. The words of the review are left out, because another person said them."""

    transcription_id: int
    verdict: Verdict
    creation_datetime: datetime


class PersonalData(_Answer):
    """All data that is stored about a person."""

    user: User
    consents: tuple[ConsentRecord, ...]
    transcriptions: tuple[Transcription, ...]
    second_hypotheses: tuple[SecondHypothesis, ...] = Field(default=(), description="Texts of another model.")
    corrections: tuple[CorrectionChange, ...] = Field(description="The history of their words.")
    reviews: tuple[ReviewRecord, ...] = Field(default=(), description="What they reviewed of others.")
    transactions: tuple[Transaction, ...]
    words: tuple[VocabularyWord, ...] = Field(default=(), description="Words that they put right or added.")
    models: tuple[TaughtModel, ...] = Field(default=(), description="Models that learnt from them.")
    own_model: OwnModelRecord | None = Field(default=None, description="The model that answers them alone.")
    news: tuple[News, ...] = Field(default=(), description="What the bot tells them of these models.")
    audit: tuple[AuditEntry, ...] = Field(default=(), description="What administrators did with their data.")
    usage: Usage | None = Field(default=None, description="What they sent today; kept apart, under a pseudonym.")


class Forgotten(_Answer):
    """The ids of the deleted messages, and the objects that must be deleted next; empty if nothing was stored."""

    transcription_ids: tuple[int, ...]
    object_keys: tuple[str, ...] = Field(description="Audio, texts and recognitions in the object store.")
    user_id: int | None = Field(default=None, description="The row that stays without a name.")
    deletion_datetime: datetime | None = None


class Discrepancy(_Answer):
    """A person whose cash differs from the sum of their ledger entries."""

    user_id: int
    cash_hundredths: int
    ledger_hundredths: int


class LedgerCheck(_Answer):
    """Result of the comparison of cash and ledger."""

    n_users: int
    n_transactions: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether the cash of each person equals the sum of their ledger entries."""
        return not self.discrepancies


class Health(_Answer):
    """State of the service."""

    status: str
    database: str
    version: str
