"""Bodies of requests and answers of db_assist about reviews."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from glas.clients.bodies import RequestBody, RowId, Text, TgId, Value
from glas.domain.corrections import Rank
from glas.domain.ledger import Refusal
from glas.domain.reviews import Verdict

TAKE_BACK_MINUTES: Final = 5
"""Minutes within which a reviewer may take back a review."""


class ReviewRequest(RequestBody):
    """The reviewer who asks for a message."""

    tg_id: TgId
    besides: tuple[RowId, ...] = Field(
        default=(),
        max_length=1,
        description="The message that the reviewer holds already, if they request a second one.",
    )


class ReviewItem(Value):
    """A message for review, without its speaker and without the reviews of other people."""

    transcription_id: int
    text: str = Field(description="The recognised text.")
    duration_s: float
    bot_id: int = Field(description="The bot for which `file_id` is valid.")
    file_id: str
    audio_key: str | None = Field(
        description="Key of the object with the recording; None: the recording is not stored yet."
    )
    held_until: datetime = Field(description="Time until which no other reviewer gets this message.")


class Review(RequestBody):
    """A reviewer's verdict about a message."""

    tg_id: TgId
    verdict: Verdict
    reference: Annotated[Text, Field(min_length=1, max_length=100_000)] | None = Field(
        default=None, description="The words that were said, with the verdict `correct`."
    )

    @model_validator(mode="after")
    def _words_where_they_belong(self) -> Self:
        if (self.reference is not None) != (self.verdict is Verdict.CORRECT):
            raise ValueError("expected a reference with the verdict `correct`, and with no other")
        return self


class ReviewResult(Value):
    """Result of a review."""

    transcription_id: int
    rank: Rank | None = Field(description="Rank of the current reference; None: there is no reference.")
    is_agreed: bool = Field(description="Whether another person gave the same words or verdict independently.")
    paid_hundredths: int = Field(description="Coins paid for this review so far.")
    balance_hundredths: int = Field(description="The reviewer's current number of coins.")
    refusal_reason: Refusal | None = Field(default=None, description="Reason why a confirmed review was not paid.")


class ReviewerFigures(Value):
    """The work of a reviewer in numbers."""

    n_since: int = Field(description="Number of reviews since the requested time.")
    n_reviews: int = Field(description="Number of all reviews.")
    n_compared: int = Field(
        description="Number of reviews of messages for which another person independently gave words or a verdict."
    )
    n_agreed: int = Field(description="Number of compared reviews with which another person agrees.")
    paid_since_hundredths: int = Field(description="Coins earned by reviews since the requested time.")
    balance_hundredths: int
