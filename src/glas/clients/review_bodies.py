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
        default=(), max_length=1, description="The message that the reviewer has already, if they ask for a second one."
    )


class ReviewItem(Value):
    """A message for review, without its speaker and without the reviews of other people."""

    transcription_id: int
    text: str = Field(description="What was recognised.")
    duration_s: float
    bot_id: int = Field(description="The bot by which `file_id` is known.")
    file_id: str
    audio_key: str | None = Field(description="The object with the recording; None: not stored yet.")
    held_until: datetime = Field(description="Until then nobody else gets it.")


class Review(RequestBody):
    """A reviewer's verdict about a message."""

    tg_id: TgId
    verdict: Verdict
    reference: Annotated[Text, Field(min_length=1, max_length=100_000)] | None = Field(
        default=None, description="The words, where the verdict is `correct`."
    )

    @model_validator(mode="after")
    def _words_where_they_belong(self) -> Self:
        if (self.reference is not None) != (self.verdict is Verdict.CORRECT):
            raise ValueError("expected a reference with the verdict `correct`, and with no other")
        return self


class ReviewResult(Value):
    """Result of a review."""

    transcription_id: int
    rank: Rank | None = Field(description="Of the reference that stands now; None: there is none.")
    is_agreed: bool = Field(description="Somebody else had said the same, independently.")
    paid_hundredths: int = Field(description="What this review earned so far.")
    balance_hundredths: int = Field(description="The reviewer's cash now.")
    refusal_reason: Refusal | None = Field(default=None, description="Why an agreed review was not paid.")


class ReviewerFigures(Value):
    """The work of a reviewer in numbers."""

    n_since: int = Field(description="Reviews since the moment that was asked for.")
    n_reviews: int = Field(description="All reviews.")
    n_compared: int = Field(
        description="Those of them about which somebody else, who did not know of it, said something."
    )
    n_agreed: int = Field(description="Those of these with which somebody agreed.")
    paid_since_hundredths: int = Field(description="Earned by reviews since that moment.")
    balance_hundredths: int
