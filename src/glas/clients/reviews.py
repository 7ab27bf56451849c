"""The methods of the db_assist client for reviews."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from glas.clients.db_assist_bodies import ReviewerChoice
from glas.clients.review_bodies import Review, ReviewerFigures, ReviewItem, ReviewRequest, ReviewResult
from glas.domain.people import User
from glas.domain.reviews import Verdict

_item: TypeAdapter[ReviewItem | None] = TypeAdapter(ReviewItem | None)
_items: TypeAdapter[tuple[ReviewItem, ...]] = TypeAdapter(tuple[ReviewItem, ...])


class ReviewCalls(ABC):
    """Get messages to review, and store reviews."""

    @abstractmethod
    async def _call(
        self, method: str, path: str, body: BaseModel | None = None, params: dict[str, Any] | None = None
    ) -> Any: ...

    async def set_reviewer(self, tg_id: int, *, is_reviewer: bool, by: int | None = None) -> User:
        """Give a person the right to review, or take this right back.

        `by` is the Telegram id of the administrator; the audit records the action of this administrator.

        Raises:
            NotFoundError: nobody registered under this id.
        """
        body = ReviewerChoice.model_construct(is_reviewer=is_reviewer)
        return User.model_validate(await self._call("PUT", f"/users/{tg_id}/reviewer", body, {"by": by}))

    async def next_review(self, tg_id: int, besides: int | None = None) -> ReviewItem | None:
        """Return the message that is held (reserved) for a reviewer; if no message is held, hold the next message.

        Args:
            tg_id: Telegram id of the reviewer.
            besides: id of a message that is already held for the reviewer; if it is given, a second message is returned
                and held.

        Returns:
            The message; None if no message waits for review.

        Raises:
            NotFoundError: the person does not exist.
            ForbiddenError: the person is neither a reviewer nor an administrator, or is banned.
        """
        body = ReviewRequest.model_construct(tg_id=tg_id, besides=() if besides is None else (besides,))
        return _item.validate_python(await self._call("POST", "/reviews/next", body))

    async def held_reviews(self, tg_id: int) -> tuple[ReviewItem, ...]:
        """Return the messages that are held for a reviewer; unlike `next_review`, hold no further message.

        Raises:
            NotFoundError: there is no such person.
            ForbiddenError: the person is neither a reviewer nor an administrator, or is banned.
        """
        return _items.validate_python(await self._call("GET", f"/users/{tg_id}/reviews/held"))

    async def review(
        self, transcription_id: int, tg_id: int, verdict: Verdict, reference: str | None = None
    ) -> ReviewResult:
        """Store a review of the message that is held for the reviewer.

        Args:
            transcription_id: id of the message.
            tg_id: Telegram id of the reviewer.
            verdict: the result of the review. CORRECT means that the reviewer corrected the text.
            reference: the words that were said, according to the reviewer; given only with the verdict CORRECT.

        Raises:
            ImplausibleCorrectionError: `reference` contains no word, or more than can be said in the recording.
            NotFoundError: the message or the person does not exist.
            ForbiddenError: the person is neither a reviewer nor an administrator, or is banned.
            ConflictError: the message is held for another reviewer or was already reviewed by this person, or the
                speaker has withdrawn the consent.
        """
        body = Review.model_construct(tg_id=tg_id, verdict=verdict, reference=reference)
        return ReviewResult.model_validate(await self._call("PUT", f"/transcriptions/{transcription_id}/review", body))

    async def take_back_review(self, transcription_id: int, tg_id: int) -> ReviewItem:
        """Take back a reviewer's last review; the message is held (reserved) for the reviewer again.

        Raises:
            NotFoundError: there is no such message or person.
            ForbiddenError: the person is neither a reviewer nor an administrator, or is banned.
            ConflictError: the review is not the person's last one or is too old, another person has judged the message,
                or the message is held for another reviewer.
        """
        path = f"/transcriptions/{transcription_id}/review"
        return ReviewItem.model_validate(await self._call("DELETE", path, params={"tg_id": tg_id}))

    async def review_figures(self, tg_id: int, since: datetime | None = None) -> ReviewerFigures:
        """Count the reviews of a person, the reviews with which other people agreed, and the coins paid for reviews.

        Args:
            tg_id: Telegram id of the reviewer.
            since: the beginning of the reviewer's day, with a time zone; None counts all reviews.

        Raises:
            NotFoundError: there is no such person.
        """
        params = {"since": since and since.isoformat()}
        return ReviewerFigures.model_validate(await self._call("GET", f"/users/{tg_id}/reviews/figures", params=params))
