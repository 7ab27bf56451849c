"""Bodies of requests to db_assist about reviews, and of its answers."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from glas.clients.bodies import RequestBody, RowId, SomeText, TgId, Value
from glas.domain.corrections import Rank
from glas.domain.ledger import Refusal
from glas.domain.reviews import Verdict

TAKE_BACK_MINUTES: Final = 5
"""Minutes within which a reviewer may take back a review."""


class ReviewRequest(RequestBody):
    """The reviewer who asks for a message, and the message that is already held for this reviewer, if there is one."""

    tg_id: TgId
    besides: tuple[RowId, ...] = Field(
        default=(),
        max_length=1,
        description="Number of the message that is reserved for the reviewer already, if the reviewer asks for a "
        "second message. Otherwise empty.",
    )


class ReviewItem(Value):
    """A message for review, without its speaker and without the reviews of other people."""

    transcription_id: int
    text: str = Field(description="Text that the model recognised.")
    duration_s: float
    bot_id: int = Field(description="Telegram's id of the bot that can download the recording with `file_id`.")
    file_id: str
    audio_key: str | None = Field(
        description="Key of the recording in the object store. null means that the recording is not stored there yet."
    )
    held_until: datetime = Field(description="Time until which the message is reserved for this reviewer.")


class Review(RequestBody):
    """A reviewer's verdict about a message."""

    tg_id: TgId
    verdict: Verdict
    reference: Annotated[SomeText, Field(max_length=100_000)] | None = Field(
        default=None,
        description="Words that were said. They are required with the verdict `correct`; with other verdicts the "
        "field must be null.",
    )

    @model_validator(mode="after")
    def _words_where_they_belong(self) -> Self:
        if (self.reference is not None) != (self.verdict is Verdict.CORRECT):
            raise ValueError("expected a reference with the verdict `correct`, and with no other")
        return self


class ReviewResult(Value):
    """Result of a stored review: agreement with other people, and the payment."""

    transcription_id: int
    rank: Rank | None = Field(
        description="Reliability of the words that are now the reference of the message. null means that there is "
        "no reference."
    )
    is_agreed: bool = Field(description="Whether another person gave the same words or the same verdict independently.")
    paid_hundredths: int = Field(description="Sum of the payments for this review so far, in hundredths of a coin.")
    balance_hundredths: int = Field(description="The reviewer's present number of coins, in hundredths of a coin.")
    refusal_reason: Refusal | None = Field(
        default=None,
        description="Reason why this review was not paid although another person confirmed it. null if there is "
        "no such reason.",
    )


class ReviewerFigures(Value):
    """Counts of a person's reviews, and the coins paid for them."""

    n_since: int = Field(description="Number of the reviewer's reviews since the time in the request.")
    n_reviews: int = Field(description="Number of all reviews of the reviewer.")
    n_compared: int = Field(
        description="Number of reviews about messages for which another person independently gave words or a "
        "verdict. Reviews with the verdict `skip` do not count."
    )
    n_agreed: int = Field(description="Number of reviews with which another person agrees.")
    paid_since_hundredths: int = Field(
        description="Payments for reviews since the time in the request, in hundredths of a coin."
    )
    balance_hundredths: int
