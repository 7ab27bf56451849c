"""The route that decides whether the words of a given text can have been said in a recording."""

from typing import Annotated

from fastapi import APIRouter, Form, Request

from glas.clients.nn_service_bodies import ComparisonBody
from glas.domain.corrections import sound_of
from glas.domain.decoding import RUSSIAN, DecodingOptions
from glas.nn_service.answering import Question, recognise, service_of
from glas.nn_service.fields import Model, Recording
from glas.serving.openapi import failures

_MOST_CHARS = 4096  # Telegram's limit for the length of a message

Text = Annotated[
    str, Form(min_length=1, max_length=_MOST_CHARS, description="Text that may have been said in the recording.")
]


def make_router(*, max_body_bytes: int) -> APIRouter:
    """Make the router; its route uses the recognition service that the app's lifespan stores in `app.state`."""
    router = APIRouter(max_body_size=max_body_bytes, tags=["recognition"])
    router.add_api_route(
        "/v1/audio/comparisons",
        compare,
        methods=["POST"],
        summary="Compare a text with the sound of a recording",
        responses=failures(400, 404, 413, 500, 503, 504),
    )
    return router


async def compare(request: Request, *, file: Recording, text: Text, model: Model = "auto") -> ComparisonBody:
    """Recognise a recording; compare how probable the given text and the recognised text are for the model.

    The field `sound` of the answer is `unknown` in three cases: the model cannot compute the probability of a text, the
    recording has several pieces of speech, or the difference of the probabilities is neither small nor large.
    """
    options = DecodingOptions(language=RUSSIAN, compared=text, wants_words=False)
    recognition = await recognise(request, service_of(request), file, Question(model=model, options=options))
    found = recognition.hypothesis.comparison
    return ComparisonBody(
        sound=sound_of(found),
        text=recognition.hypothesis.text,
        lost=round(found.lost, 3) if found else None,
        n_words=found.n_words if found else None,
    )
