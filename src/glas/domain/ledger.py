"""The ledger of coins: what was paid to whom, for what, and why sometimes nothing was."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Reason(StrEnum):
    """What a ledger entry is for. One transcription pays one person once for each."""

    RATING = "rating"
    CORRECTION = "correction"
    REVIEW = "review"
    GRANT = "grant"


class Refusal(StrEnum):
    """Why a rating, a correction or a review was kept and not paid."""

    FORWARDED = "forwarded"
    NO_SPEECH = "no_speech"
    SAME_AUDIO = "same_audio"
    DAILY_CAP = "daily_cap"
    UNCHANGED = "unchanged"
    DOUBTFUL = "doubtful"
    NOTHING_EARNED = "nothing_earned"


class Transaction(BaseModel):
    """One entry. Entries are never changed or removed; a person's cash is their sum."""

    model_config = ConfigDict(frozen=True)

    id: int
    user_id: int
    amount_hundredths: int = Field(description="Hundredths of a coin; negative where an administrator takes back.")
    reason: Reason
    transcription_id: int | None = Field(default=None, description="None for grants.")
    note: str | None = Field(default=None, description="An administrator's words.")
    date_of_transaction: datetime
