"""The page for reviewers: it shows one recording after another, and one key press judges the recognised text.

A reviewer sees the recognised text and, if it is different, the text by another model. A reviewer does not see
corrections and reviews of other people. Two messages are reserved for a reviewer (see "hold" in the glossary): the
message that is reviewed now, and the next message, which the page loads in advance.
"""

from difflib import SequenceMatcher
from pathlib import PurePath
from typing import Annotated, Final, Self

from fastapi import Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from glas.clients.bodies import RowId
from glas.clients.review_bodies import ReviewItem, ReviewResult
from glas.domain.errors import ConflictError, NotFoundError
from glas.domain.reviews import Verdict
from glas.domain.text import normalise
from glas.localisation import Catalogue
from glas.web.access.guard import Visit
from glas.web.access.rights import Right
from glas.web.frame import Page, page_router
from glas.web.pages.amounts import coins
from glas.web.site import Services, site_of

_TRIES: Final = 5
_TYPES: Final = {".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg"}
_KEYS: Final = (
    Verdict.ACCEPT,
    Verdict.CORRECT,
    Verdict.BAD_AUDIO,
    Verdict.NOT_SPEECH,
    Verdict.OTHER_VOICE,
    Verdict.SKIP,
)
"""The verdicts, in the order of the keys 1 to 6 that stand for them."""

router = page_router(Right.REVIEWER)
PAGE = Page("/review", "page-review", "page-review-about", Right.REVIEWER, router)
Number = Annotated[RowId, Path()]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class SpokenWord(_Value):
    """A recognised word with its times in the recording, in seconds."""

    word: str
    start: float
    end: float


class OtherWord(_Value):
    """A word of the text by another model, and whether this word differs from the recognised text."""

    word: str
    differs: bool = Field(description="Whether the recognised text has another word, or no word, in the same place.")


class Span(_Value):
    """A part of a recording in which somebody speaks; `start` and `end` are times in the recording, in seconds."""

    start: float
    end: float


class Item(_Value):
    """A message for review, as the script of the page receives it."""

    id: int
    text: str
    duration_s: float
    words: tuple[SpokenWord, ...] = Field(
        description="Words of the recognised text with times. Empty if the times were not stored."
    )
    spans: tuple[Span, ...]
    second: tuple[OtherWord, ...] = Field(
        description="Words of the text that another model recognised. Empty if this text is the same, or if there "
        "is none."
    )


class Figures(_Value):
    """Sentences with numbers about a reviewer's work: reviews of today, how often other people agreed, and coins."""

    today: str
    agreement: str
    coins: str


class Wanted(_Value):
    """The body of a request for messages; `known` contains the ids of messages that the page has already."""

    known: tuple[RowId, ...] = Field(default=(), max_length=10)
    since: AwareDatetime = Field(description="Time at which the present day begins for the reviewer.")


class Work(_Value):
    """The messages that are reserved for the reviewer, and sentences with numbers about the reviewer's work."""

    items: tuple[Item | int, ...] = Field(
        description="Messages that are reserved for the reviewer. A message that the page has already is given "
        "only by its number."
    )
    figures: Figures


class Answer(_Value):
    """The review of one message, as the script of the page sends it."""

    verdict: Verdict
    reference: str | None = Field(default=None, max_length=100_000)

    @model_validator(mode="after")
    def _words_where_they_belong(self) -> Self:
        if (self.reference is not None) != (self.verdict is Verdict.CORRECT):
            raise ValueError("expected a reference with the verdict `correct`, and with no other")
        return self


class Answered(_Value):
    """The result of storing a review."""

    is_kept: bool = Field(
        description="Whether the answer was stored. It is not stored if another person was faster, or if the "
        "message may no longer be reviewed."
    )
    said: str


@router.get("/review")
async def page(request: Request, visit: Visit) -> Response:
    """Send the page for reviewers; the script of the page then requests messages."""
    say = visit.say
    verdicts = [
        {"name": one.value, "title": say(f"verdict-{one.value}"), "about": say(f"verdict-about-{one.value}")}
        for one in _KEYS
    ]
    return site_of(request).frame.page(request, visit, "review.html", verdicts=verdicts)


@router.post("/review/items")
async def take(request: Request, visit: Visit, wanted: Wanted) -> Work:
    """Reserve up to two messages for the reviewer; return them with numbers about the reviewer's work."""
    services = site_of(request).services
    first = await _next(services, visit.person, None)
    second = None if first is None else await _next(services, visit.person, first.transcription_id)
    found = [one for one in (first, second) if one is not None]
    items = [
        one.transcription_id if one.transcription_id in wanted.known else await _described(services, one)
        for one in found
    ]
    figures = await services.db_assist.review_figures(visit.person, wanted.since)
    say = visit.say
    agreement = say("review-agreement-none")
    if figures.n_compared:
        agreement = say("review-agreement", agreed=figures.n_agreed, compared=figures.n_compared)
    return Work(
        items=tuple(items),
        figures=Figures(
            today=say("review-today", count=figures.n_since),
            agreement=agreement,
            coins=coins(figures.balance_hundredths, say.language),
        ),
    )


@router.get("/review/items/{number}/audio")
async def audio(request: Request, visit: Visit, number: Number) -> Response:
    """Send the recording of a message that is reserved for the reviewer; refuse all other recordings."""
    services = site_of(request).services
    held = await services.db_assist.held_reviews(visit.person)
    key = next((one.audio_key for one in held if one.transcription_id == number), None)
    if key is None:
        raise NotFoundError("expected a message that is held for this reviewer")
    data = await services.data_loader.fetch_audio(key)
    return Response(data, media_type=_TYPES.get(PurePath(key).suffix, "application/octet-stream"))


@router.put("/review/items/{number}")
async def answer(request: Request, visit: Visit, number: Number, given: Answer) -> Answered:
    """Store the review of a message that is reserved for the reviewer."""
    db_assist = site_of(request).services.db_assist
    try:
        result = await db_assist.review(number, visit.person, given.verdict, given.reference)
    except (ConflictError, NotFoundError):
        return Answered(is_kept=False, said=visit.say("review-lost"))
    return Answered(is_kept=True, said=_thanks(result, visit.say))


@router.delete("/review/items/{number}")
async def take_back(request: Request, visit: Visit, number: Number) -> Item | Answered:
    """Take back the reviewer's last review; the reviewed message is reserved for the reviewer again."""
    services = site_of(request).services
    try:
        item = await services.db_assist.take_back_review(number, visit.person)
    except (ConflictError, NotFoundError):
        return Answered(is_kept=False, said=visit.say("review-not-taken-back"))
    return await _described(services, item)


async def _next(services: Services, person: int, besides: int | None) -> ReviewItem | None:
    """Reserve and return the next message whose recording is in the object store; None if there is none.

    `besides` is the id of the message that is reserved for the reviewer already; None if there is no such message.
    """
    for _ in range(_TRIES):
        item = await services.db_assist.next_review(person, besides)
        if item is None or item.audio_key is not None:
            return item
        # The bot could still download the recording from Telegram, but this page cannot. So skip the message.
        await services.db_assist.review(item.transcription_id, person, Verdict.SKIP)
    return None


async def _described(services: Services, item: ReviewItem) -> Item:
    kept = await services.data_loader.fetch_recognition(item.transcription_id)
    second = await services.db_assist.second_hypothesis(item.transcription_id)
    # The times of words are used only if they belong to the text of the message.
    is_of_text = kept is not None and kept.recognition.hypothesis.text == item.text
    segments = kept.recognition.hypothesis.segments if kept is not None and is_of_text else ()
    return Item(
        id=item.transcription_id,
        text=item.text,
        duration_s=item.duration_s,
        words=tuple(
            SpokenWord(word=word.text, start=word.start_s, end=word.end_s) for one in segments for word in one.words
        ),
        spans=tuple(Span(start=one.start_s, end=one.end_s) for one in segments)
        or (Span(start=0.0, end=item.duration_s),),
        second=() if second is None else other_words(item.text, second.text),
    )


def other_words(text: str, second: str) -> tuple[OtherWord, ...]:
    """Compare the text `second` with `text`: return the words of `second`, and for each word whether it differs.

    If both texts have the same words, return an empty tuple.

    Words are compared as for error rates (under RU-NORM), that is without case and punctuation.
    """
    if normalise(text) == normalise(second):
        return ()
    words = second.split()
    matcher = SequenceMatcher(None, [*map(normalise, text.split())], [*map(normalise, words)], autojunk=False)
    same = {place for block in matcher.get_matching_blocks() for place in range(block.b, block.b + block.size)}
    return tuple(OtherWord(word=word, differs=place not in same) for place, word in enumerate(words))


def _thanks(result: ReviewResult, say: Catalogue) -> str:
    if not result.paid_hundredths:
        return say("review-kept")
    return say("review-earned", coins=coins(result.paid_hundredths, say.language))
