"""Define the ledger of coins: payments to people, the reasons for payments, and the reasons why nothing is paid."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Reason(StrEnum):
    """Reason of a ledger entry. For one message, a person is paid at most once for each reason."""

    RATING = "rating"
    CORRECTION = "correction"
    REVIEW = "review"
    GRANT = "grant"


class Refusal(StrEnum):
    """Reason why a rating, a correction or a review was stored but not paid."""

    FORWARDED = "forwarded"
    NO_SPEECH = "no_speech"
    SAME_AUDIO = "same_audio"
    DAILY_CAP = "daily_cap"
    UNCHANGED = "unchanged"
    DOUBTFUL = "doubtful"
    NOTHING_EARNED = "nothing_earned"


class Transaction(BaseModel):
    """A ledger entry. Entries are never changed or removed; a person's cash is the sum of their entries."""

    model_config = ConfigDict(frozen=True)

    id: int
    user_id: int
    amount_hundredths: int = Field(
        description="Amount in hundredths of a coin. It is negative if an administrator takes coins back."
    )
    reason: Reason
    transcription_id: int | None = Field(
        default=None,
        description="Number of the message for which the amount was paid. null if an administrator gave or took "
        "the coins.",
    )
    note: str | None = Field(
        default=None, description="Note of the administrator who gave or took the coins. null for other payments."
    )
    date_of_transaction: datetime
