"""Bodies of calls between the pages and db_assist about the data of a person, and about the list of people."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from glas.clients.db_assist_bodies import ConsentRecord, RowId, TgId
from glas.domain.people import User

MOST_ON_PAGE = 200


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Holding(_Answer):
    """The amount of data about a person, and their usage towards limits."""

    user: User
    consents: tuple[ConsentRecord, ...] = Field(description="Their history, oldest first.")
    n_messages: int
    n_failed: int = Field(description="Messages without a text.")
    n_corrections: int = Field(description="Changes of words that they made.")
    n_words: int = Field(description="Entries of their vocabulary.")
    audio_s: float = Field(description="Seconds of recognised audio.")
    first_datetime: datetime | None = Field(description="Of the oldest message.")
    last_datetime: datetime | None = Field(description="Of the newest message.")
    n_messages_day: int = Field(description="In the last 24 hours, of the messages that are still held.")
    audio_day_s: float = Field(description="Their seconds.")
    earned_day_hundredths: int = Field(description="Coins of the last 24 hours without grants, which the cap counts.")


class PersonSummary(_Answer):
    """A person in a list."""

    user: User
    n_messages: int
    last_datetime: datetime | None = Field(description="Of the newest message.")


class ReportReading(BaseModel):
    """A request that records that an administrator opens the gate's report about a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: TgId
    model_id: RowId


class Reading(BaseModel):
    """Request of an administrator to open a person's message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: TgId
    tg_id: TgId = Field(description="Whose message it is.")
    transcription_id: RowId


class WorkToForget(_Answer):
    """People whose data was deleted and whose records of work the bot has not deleted yet."""

    people: tuple[int, ...] = Field(description="Telegram's ids.")
