"""OpenAI's routes: `POST /v1/audio/transcriptions` in five forms and as a stream, `GET /v1/models`."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from glas.domain.errors import AudioError, EmptyAudioError, GlasError, InvalidParameterError, ServiceFaultError, to_body
from glas.domain.transcription import Recognition
from glas.nn_service.formats import (
    MEDIA_TYPES,
    Granularity,
    ResponseFormat,
    render_json,
    render_segment,
    render_text,
    render_verbose,
    render_word,
)
from glas.nn_service.recogniser import Recogniser
from glas.nn_service.transcribe import Step

_POLL_S = 0.5  # how often we look whether a caller is still there
_RUSSIAN = frozenset({"", "ru", "rus", "ru-ru", "russian", "auto"})
_END_OF_STREAM = b"data: [DONE]\n\n"


def make_router(*, max_body_bytes: int) -> APIRouter:
    """The routes; the recogniser is read from `app.state`, where the lifespan puts it."""
    router = APIRouter(max_body_size=max_body_bytes)
    router.add_api_route(
        "/v1/audio/transcriptions",
        transcriptions,
        methods=["POST"],
        response_model=None,
        summary="Recognise speech",
        responses={503: {"description": "The queue is full; see Retry-After"}},
    )
    router.add_api_route(
        "/predict", predict, methods=["POST"], summary="Recognise speech, in the original's short form"
    )
    router.add_api_route("/v1/models", models, methods=["GET"], summary="What is served")
    router.add_api_route("/v1/models/{name:path}", model, methods=["GET"], summary="One model")
    return router


async def transcriptions(
    request: Request,
    *,
    file: Annotated[UploadFile, File(description="Audio or video: Ogg, MP3, M4A, AAC, WAV, FLAC, WebM, MP4.")],
    model: Annotated[str, Form(description="`auto`, or the name that is served.")] = "auto",
    language: Annotated[str, Form(description="`ru`.")] = "ru",
    prompt: Annotated[str, Form(description="Accepted; CTC and RNNT models cannot use it.")] = "",
    response_format: Annotated[ResponseFormat, Form()] = ResponseFormat.JSON,
    temperature: Annotated[float, Form(ge=0, le=1, description="Accepted; decoding is greedy.")] = 0,
    granularities: Annotated[list[Granularity] | None, Form(alias="timestamp_granularities[]")] = None,
    stream: Annotated[bool, Form(description="Server-sent events, one per piece of speech.")] = False,
) -> Response:
    """Recognise one recording.

    With `stream=true` every piece of speech is sent as a `transcript.text.delta` event as soon as it is heard, and the
    whole as `transcript.text.done`; with `verbose_json` these events also carry segments, words and progress.
    """
    del prompt, temperature
    recogniser = _recogniser(request)
    recogniser.engine_for(model)
    if language.strip().lower() not in _RUSSIAN:
        raise InvalidParameterError(f"expected the language 'ru', got {language!r}", param="language")
    data = await _read(file)
    wanted = frozenset(granularities or ())
    if stream:
        job = _StreamedJob(recogniser, data, model, wanted, verbose=response_format is ResponseFormat.VERBOSE_JSON)
        return StreamingResponse(job.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
    recognition = await _recognise(request, recogniser, data, model)
    if response_format is ResponseFormat.VERBOSE_JSON:
        return JSONResponse(render_verbose(recognition, wanted))
    if response_format is ResponseFormat.JSON:
        return JSONResponse(render_json(recognition))
    return PlainTextResponse(render_text(recognition, response_format), media_type=MEDIA_TYPES[response_format])


async def predict(request: Request, file: Annotated[UploadFile, File()]) -> dict[str, str]:
    """Recognise one recording and answer as the original system did."""
    recognition = await _recognise(request, _recogniser(request), await _read(file), "auto")
    return {"prediction": recognition.hypothesis.text}


async def models(request: Request) -> dict[str, Any]:
    """List what is served."""
    return {"object": "list", "data": [_describe(_recogniser(request))]}


async def model(request: Request, name: str) -> dict[str, Any]:
    """Describe one model.

    Raises:
        UnknownModelError: it is not served.
    """
    recogniser = _recogniser(request)
    recogniser.engine_for(name)
    return _describe(recogniser)


def _describe(recogniser: Recogniser) -> dict[str, Any]:
    name = recogniser.engine.name
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "glas",
        "window_seconds": recogniser.engine.window_s,
    }


def _recogniser(request: Request) -> Recogniser:
    found = request.app.state.recogniser
    if not isinstance(found, Recogniser):
        raise ServiceFaultError("the service has not started; its lifespan must be entered first")
    return found


async def _read(file: UploadFile) -> bytes:
    data = await file.read()
    if not data:
        raise EmptyAudioError("expected an audio file, got 0 bytes", param="file")
    return data


async def _recognise(request: Request, recogniser: Recogniser, data: bytes, model: str) -> Recognition:
    """Wait for the transcript; give the place in the queue back if the caller goes away."""
    abandoned = threading.Event()
    future = recogniser.submit(data, model, on_step=lambda _step: None, abandoned=abandoned)
    try:
        while not (await asyncio.wait({future}, timeout=_POLL_S))[0]:
            if await request.is_disconnected():
                break
        else:
            return future.result()
    except AudioError as error:
        error.param = error.param or "file"
        raise
    finally:
        abandoned.set()
        future.cancel()
    raise ServiceFaultError("the caller went away")


class _StreamedJob:
    """One recording whose pieces are sent as they are heard."""

    def __init__(
        self, recogniser: Recogniser, data: bytes, model: str, granularities: frozenset[Granularity], *, verbose: bool
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._steps: asyncio.Queue[Step | None] = asyncio.Queue()
        self._abandoned = threading.Event()
        self._granularities = granularities
        self._verbose = verbose
        self._sent = 0
        # Submitted here, before the answer begins, so that a full queue is still a 503.
        self._future = recogniser.submit(data, model, on_step=self._on_step, abandoned=self._abandoned)
        self._future.add_done_callback(lambda _future: self._steps.put_nowait(None))

    def _on_step(self, step: Step) -> None:
        self._loop.call_soon_threadsafe(self._steps.put_nowait, step)

    async def events(self) -> AsyncIterator[bytes]:
        try:
            while (step := await self._steps.get()) is not None:
                yield self._delta(step)
            yield self._done(self._future.result())
        except GlasError as error:
            yield _event(to_body(error))
        finally:
            self._abandoned.set()
            self._future.cancel()
        yield _END_OF_STREAM

    def _delta(self, step: Step) -> bytes:
        text = " ".join(segment.text for segment in step.segments)
        body: dict[str, Any] = {"type": "transcript.text.delta", "delta": (" " if self._sent and text else "") + text}
        if self._verbose:
            body["progress_seconds"] = round(step.done_s, 3)
            body["segments"] = [
                render_segment(self._sent + index, segment) | {"words": [render_word(word) for word in segment.words]}
                for index, segment in enumerate(step.segments)
            ]
        self._sent += len(step.segments)
        return _event(body)

    def _done(self, recognition: Recognition) -> bytes:
        body: dict[str, Any] = {"type": "transcript.text.done", **render_json(recognition)}
        if self._verbose:
            body["result"] = render_verbose(recognition, self._granularities)
        return _event(body)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
