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
    """A person's decision about a consent: given or withdrawn, and when."""

    purpose: Purpose
    granted: bool
    text_version: str
    creation_datetime: datetime


class ReviewRecord(Value):
    """A review that a person made, without the words of the recording, because another person said these words."""

    transcription_id: int
    verdict: Verdict
    creation_datetime: datetime


class PersonalData(Value):
    """All data that is stored about a person."""

    user: User
    consents: tuple[ConsentRecord, ...]
    transcriptions: tuple[Transcription, ...]
    second_hypotheses: tuple[SecondHypothesis, ...] = Field(
        default=(), description="Texts of the person's recordings that another model recognised for comparison."
    )
    corrections: tuple[CorrectionChange, ...] = Field(
        description="All changes of the texts of the person's messages by corrections."
    )
    reviews: tuple[ReviewRecord, ...] = Field(
        default=(), description="Reviews in which the person judged messages of other people."
    )
    transactions: tuple[Transaction, ...]
    words: tuple[VocabularyWord, ...] = Field(
        default=(), description="Vocabulary of the person: words that the person corrected or added."
    )
    models: tuple[TaughtModel, ...] = Field(
        default=(), description="Models that were trained with messages of the person."
    )
    own_model: OwnModelRecord | None = Field(
        default=None,
        description="Model that recognises only recordings of this person. null if there is no such model.",
    )
    news: tuple[News, ...] = Field(
        default=(),
        description="Messages of the bot to the person about models that were trained with the person's messages.",
    )
    audit: tuple[AuditEntry, ...] = Field(default=(), description="Actions of administrators that concern the person.")
    usage: Usage | None = Field(
        default=None,
        description="Recordings that the person sent in the last 24 hours. They are counted separately, under a "
        "pseudonym.",
    )


class Forgotten(Value):
    """The ids of the deleted messages, and the keys of objects that must be deleted next; empty if there are none."""

    transcription_ids: tuple[int, ...]
    object_keys: tuple[str, ...] = Field(
        description="Keys in the object store of the recordings, texts and recognitions that must be deleted."
    )
    user_id: int | None = Field(
        default=None,
        description="Number of the person's row in the database. The row remains, but contains no name or "
        "Telegram id. null if nothing was stored about the person.",
    )
    deletion_datetime: datetime | None = None


class Holding(Value):
    """The amount of stored data about a person, and the person's recordings and coins of the last 24 hours."""

    user: User
    consents: tuple[ConsentRecord, ...] = Field(description="All answers of the person about consents, oldest first.")
    n_messages: int
    n_failed: int = Field(description="Number of messages whose recognition failed.")
    n_corrections: int = Field(description="Number of changes of texts that the person made.")
    n_words: int = Field(description="Number of words in the person's vocabulary.")
    audio_s: float = Field(description="Total length of the person's recognised recordings, in seconds.")
    first_datetime: datetime | None = Field(
        description="Time of the person's oldest message that is stored. null if there are no messages."
    )
    last_datetime: datetime | None = Field(
        description="Time of the person's newest message that is stored. null if there are no messages."
    )
    n_messages_day: int = Field(
        description="Number of the person's messages from the last 24 hours that are still stored."
    )
    audio_day_s: float = Field(
        description="Total length in seconds of the recordings from the last 24 hours that are still stored."
    )
    earned_day_hundredths: int = Field(
        description="Payments of the last 24 hours that count towards the daily maximum, in hundredths of a coin. "
        "Coins given by administrators do not count."
    )


class PersonSummary(Value):
    """A person in a list of people, with the number of their messages and the time of the last one."""

    user: User
    n_messages: int
    last_datetime: datetime | None = Field(
        description="Time of the person's newest message that is stored. null if there are no messages."
    )


class ReportReading(RequestBody):
    """Request to record in the audit that an administrator opens the gate's report about a model."""

    by: TgId
    model_id: RowId


class Reading(RequestBody):
    """Request of an administrator to open a person's message."""

    by: TgId
    tg_id: TgId = Field(description="Telegram's id of the person who sent the message.")
    transcription_id: RowId


class WorkToForget(Value):
    """People whose data was deleted, while the bot still has records of how it handled their messages."""

    people: tuple[int, ...] = Field(
        description="Telegram's ids of the people whose records of work the bot must still delete."
    )
