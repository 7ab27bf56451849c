"""Bodies of calls to db_assist that list, download or delete the data about people."""

from datetime import datetime

from pydantic import Field

from glas.clients.bodies import RequestBody, RowId, TgId, Value
from glas.clients.db_assist_bodies import Usage
from glas.domain.audit import AuditEntry
from glas.domain.corrections import CorrectionChange
from glas.domain.ledger import Transaction
from glas.domain.messages import SecondHypothesis, Transcription
from glas.domain.model_records import News, TaughtModel
from glas.domain.own_models import OwnModelRecord
from glas.domain.people import Purpose, User
from glas.domain.reviews import Verdict
from glas.domain.vocabulary import VocabularyWord

MOST_ON_PAGE = 200


class ConsentRecord(Value):
    """A person's answer about one consent, at one time."""

    purpose: Purpose
    granted: bool
    text_version: str
    creation_datetime: datetime


class ReviewRecord(Value):
    """A review that a person made. The words of the review are left out, because another person said them."""

    transcription_id: int
    verdict: Verdict
    creation_datetime: datetime


class PersonalData(Value):
    """All data that is stored about a person."""

    user: User
    consents: tuple[ConsentRecord, ...]
    transcriptions: tuple[Transcription, ...]
    second_hypotheses: tuple[SecondHypothesis, ...] = Field(
        default=(), description="Texts that another model recognised."
    )
    corrections: tuple[CorrectionChange, ...] = Field(description="The history of the corrections of their messages.")
    reviews: tuple[ReviewRecord, ...] = Field(
        default=(), description="Reviews that they made of messages of other people."
    )
    transactions: tuple[Transaction, ...]
    words: tuple[VocabularyWord, ...] = Field(default=(), description="Words that they corrected or added.")
    models: tuple[TaughtModel, ...] = Field(default=(), description="Models that were trained with their messages.")
    own_model: OwnModelRecord | None = Field(default=None, description="The model that answers only them.")
    news: tuple[News, ...] = Field(default=(), description="The bot's messages to them about these models.")
    audit: tuple[AuditEntry, ...] = Field(default=(), description="Actions of administrators on their data.")
    usage: Usage | None = Field(
        default=None,
        description="Recordings that they sent in the last 24 hours; stored separately, under a pseudonym.",
    )


class Forgotten(Value):
    """The ids of the deleted messages, and the objects that must be deleted next; empty if nothing was stored."""

    transcription_ids: tuple[int, ...]
    object_keys: tuple[str, ...] = Field(
        description="Keys of the recordings, texts and recognitions in the object store."
    )
    user_id: int | None = Field(default=None, description="Number of the person's row, which remains without a name.")
    deletion_datetime: datetime | None = None


class Holding(Value):
    """The amount of data about a person, and their usage towards limits."""

    user: User
    consents: tuple[ConsentRecord, ...] = Field(description="The history of their consents, oldest first.")
    n_messages: int
    n_failed: int = Field(description="Number of messages without a text.")
    n_corrections: int = Field(description="Number of corrections that they made.")
    n_words: int = Field(description="Number of entries of their vocabulary.")
    audio_s: float = Field(description="Seconds of recognised audio.")
    first_datetime: datetime | None = Field(description="Time of the oldest message.")
    last_datetime: datetime | None = Field(description="Time of the newest message.")
    n_messages_day: int = Field(description="Number of messages of the last 24 hours that are still stored.")
    audio_day_s: float = Field(description="Seconds of audio in these messages.")
    earned_day_hundredths: int = Field(
        description="Coins of the last 24 hours that count towards the daily maximum; grants do not count."
    )


class PersonSummary(Value):
    """A person in a list."""

    user: User
    n_messages: int
    last_datetime: datetime | None = Field(description="Time of the newest message.")


class ReportReading(RequestBody):
    """A request that records that an administrator opens the gate's report about a model."""

    by: TgId
    model_id: RowId


class Reading(RequestBody):
    """Request of an administrator to open a person's message."""

    by: TgId
    tg_id: TgId = Field(description="Telegram's id of the person whose message it is.")
    transcription_id: RowId


class WorkToForget(Value):
    """People whose data was deleted and whose records of work the bot has not deleted yet."""

    people: tuple[int, ...] = Field(description="Telegram's ids of these people.")
