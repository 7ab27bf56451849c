"""Routes of OpenAI's API for transcriptions and translations, and the route `/predict` of the original system."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from glas.clients.nn_service_bodies import PredictionBody, TranscriptionBody, VerboseBody
from glas.domain.decoding import RUSSIAN, UNSPECIFIED, DecodingOptions
from glas.domain.errors import InvalidParameterError
from glas.nn_service.answering import Question, answer, model_header, recognise, service_of
from glas.nn_service.fields import (
    MAX_KEYWORDS,
    MAX_PROMPT,
    Bucket,
    Form_,
    Granularities,
    Hotwords,
    Includes,
    InsteadOfField,
    Keywords,
    Language,
    Languages,
    Model,
    OwnModelField,
    Prompt,
    Recording,
    Stream,
    Temperature,
    WhenIdle,
    own_model,
)
from glas.nn_service.formats import Include, ResponseFormat
from glas.nn_service.forms import form_route
from glas.serving.openapi import failures

_LANGUAGES = {"russian": RUSSIAN, "rus": RUSSIAN, "english": "en", "eng": "en", "": None, "auto": None}
_CODE_LENGTHS = (2, 3)
_SINGLE_FIELDS = (
    *("file", "model", "language", "prompt", "hotwords"),
    *("response_format", "temperature", "stream", "bucket", "own_model", "instead_of", "when_idle"),
)
# Fields in which an empty text has no meaning. FastAPI would treat such a field as a field that was not sent.
_NEVER_EMPTY = ("response_format", "temperature", "stream", "bucket", "when_idle")

_TEXT = {"schema": {"type": "string"}}
# `itemSchema` is a keyword of OpenAPI 3.2, with which FastAPI also describes its own streams of events.
_EVENTS = {
    "itemSchema": {
        "type": "object",
        "properties": {
            "data": {
                "type": "string",
                "description": "A JSON object with the field `type`. The last event contains `[DONE]` instead.",
            }
        },
        "required": ["data"],
    }
}
_FORMS = {
    "description": "The text in the requested format. With `stream=true`, a stream of lines that begin with `data:`.",
    "model": TranscriptionBody | VerboseBody,
    "content": {
        **dict.fromkeys(("text/plain", "application/x-subrip", "text/vtt"), _TEXT),
        "text/event-stream": _EVENTS,
    },
}
_FAILURES = failures(400, 404, 413, 503, 504)


async def _check_fields(request: Request) -> None:
    """Refuse a form with a repeated field that is not a list, or with an empty field that must have a value.

    Raises:
        InvalidParameterError: the form has such a field.
    """
    form = await request.form()
    for name in _SINGLE_FIELDS:
        if (times := len(form.getlist(name))) > 1:
            raise InvalidParameterError(f"expected the field {name!r} once, got it {times} times", param=name)
    for name in _NEVER_EMPTY:
        if form.get(name) == "":
            raise InvalidParameterError(f"expected a value of {name!r}, or no such field; got an empty one", param=name)


def make_router(*, max_body_bytes: int) -> APIRouter:
    """Make the router; its routes use the recognition service that the app's lifespan stores in `app.state`."""
    router = APIRouter(
        max_body_size=max_body_bytes,
        tags=["recognition"],
        dependencies=[Depends(_check_fields)],
        route_class=form_route(max_body_bytes),
    )
    for path, endpoint, summary in (
        ("/v1/audio/transcriptions", transcriptions, "Speech to text"),
        ("/v1/audio/translations", translations, "Speech to English text"),
    ):
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            response_model=None,
            summary=summary,
            responses={200: _FORMS, **_FAILURES},
        )
    router.add_api_route(
        "/predict",
        predict,
        methods=["POST"],
        summary="Speech to text, in the short format of the original system",
        responses=failures(400, 413, 503, 504),
    )
    return router


async def transcriptions(
    request: Request,
    *,
    file: Recording,
    model: Model = "auto",
    language: Language = RUSSIAN,
    prompt: Prompt = "",
    hotwords: Hotwords = "",
    keywords: Keywords,
    languages: Languages,
    response_format: Form_ = ResponseFormat.JSON,
    temperature: Temperature = 0,
    granularities: Granularities,
    include: Includes,
    stream: Stream = False,
    bucket: Bucket = None,
    own: OwnModelField = "",
    instead_of: InsteadOfField = "",
    when_idle: WhenIdle = False,
) -> Response:
    """Recognise one recording.

    With `stream=true`, the text of each piece of speech is sent in an event `transcript.text.delta` as soon as the
    piece is recognised. The whole text is sent in an event `transcript.text.done`. With `verbose_json`, these events
    also contain segments, words and the progress.
    """
    spoken, checks_language = _spoken(language, languages, is_named="language" in await request.form())
    question = Question(
        model=model,
        options=DecodingOptions(
            language=spoken,
            checks_language=checks_language,
            prompt=prompt.strip(),
            hotwords=_likely(hotwords, keywords),
            temperature=temperature,
            wants_words=response_format not in (ResponseFormat.JSON, ResponseFormat.TEXT),
            wants_tokens=Include.LOGPROBS in include,
        ),
        form=response_format,
        granularities=frozenset(granularities),
        include=frozenset(include),
        bucket=bucket,
        own=own_model(own, instead_of),
        when_idle=when_idle,
        hints=_sent(prompt=prompt, hotwords=hotwords, keywords=keywords),
    )
    return await answer(request, file, question, stream=stream)


async def translations(
    request: Request,
    *,
    file: Recording,
    model: Model = "auto",
    language: Language = RUSSIAN,
    prompt: Annotated[
        str,
        Form(
            max_length=MAX_PROMPT,
            description="English text before the recording, as an example of style and of the spelling of names.",
        ),
    ] = "",
    response_format: Form_ = ResponseFormat.JSON,
    temperature: Temperature = 0,
    granularities: Granularities,
) -> Response:
    """Recognise one recording and write it in English.

    Only a multilingual Whisper can translate; for any other model the answer is 400 with `param: model`.
    """
    question = Question(
        model=model,
        options=DecodingOptions(
            language=_code(language), task="translate", prompt=prompt.strip(), temperature=temperature
        ),
        form=response_format,
        granularities=frozenset(granularities),
        hints=_sent(prompt=prompt),
    )
    return await answer(request, file, question, stream=False)


async def predict(request: Request, response: Response, file: Recording) -> PredictionBody:
    """Recognise one recording with the default model, and answer in the format of the original system."""
    recognition = await recognise(request, service_of(request), file, Question(options=UNSPECIFIED))
    response.headers.update(model_header(recognition))
    return PredictionBody(prediction=recognition.hypothesis.text)


def _spoken(language: str, languages: Sequence[str], *, is_named: bool) -> tuple[str | None, bool]:
    """Return the language of the text, and whether to check that this language is also the spoken one.

    The returned language is None if the model must detect the language.

    If `is_named` is set (the request contains `language`), `language` is returned, and is not checked. Otherwise the
    result depends on `languages`. If `languages` is empty, `language` has its default, Russian, which is returned and
    checked. If `languages` has one entry, this entry is returned, and is not checked. If `languages` has several
    entries and Russian is one of them, Russian is returned and checked. If `languages` has several entries and Russian
    is not one of them, None is returned.
    """
    codes = [_code(one) for one in languages]  # unknown languages are refused even if they have no effect
    if is_named or not codes:
        code = _code(language)
        return code, code == RUSSIAN and not is_named
    if len(codes) == 1:
        return codes[0], False
    return (RUSSIAN, True) if RUSSIAN in codes else (None, False)


def _likely(hotwords: str, keywords: Sequence[str]) -> str:
    """Join the keywords of two fields into one line.

    Raises:
        InvalidParameterError: the line is too long.
    """
    line = ", ".join(filter(None, (word.strip() for word in (hotwords, *keywords))))
    if len(line) > MAX_KEYWORDS:
        raise InvalidParameterError(
            f"expected at most {MAX_KEYWORDS} characters of likely words, got {len(line)}", param="keywords"
        )
    return line


def _sent(**hints: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the given fields that are not empty."""
    return tuple(name for name, value in hints.items() if value)


def _code(language: str) -> str | None:
    """Return the ISO code of a language that a caller wrote as `ru`, `ru-RU` or `Russian`; None for `auto`.

    Raises:
        InvalidParameterError: `language` is neither a code nor a known name.
    """
    spoken = language.strip().lower().replace("_", "-").partition("-")[0]
    if spoken in _LANGUAGES:
        return _LANGUAGES[spoken]
    if len(spoken) not in _CODE_LENGTHS or not spoken.isascii() or not spoken.isalpha():
        raise InvalidParameterError(f"expected a language such as 'ru', got {language!r}", param="language")
    return spoken
