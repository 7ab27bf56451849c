"""Answer a request for recognition with one whole response or with a stream of events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from glas.domain.decoding import PLAIN, DecodingOptions
from glas.domain.error_bodies import to_body
from glas.domain.errors import AudioError, EmptyAudioError, GlasError, ServiceFaultError
from glas.domain.model_ref import MODEL_HEADER
from glas.domain.own_models import OwnModel
from glas.domain.transcription import Recognition
from glas.nn_service.formats import (
    MEDIA_TYPES,
    Granularity,
    Include,
    ResponseFormat,
    render_json,
    render_logprobs,
    render_segment,
    render_text,
    render_verbose,
    render_word,
)
from glas.nn_service.hosted import served_name
from glas.nn_service.service import RecognitionService
from glas.recognition import AbandonedError, Progress
from glas.serving.cors import IGNORED_HEADER

_POLL_S = 0.5  # interval at which we check whether the caller is still connected
_END_OF_STREAM = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Question:
    """The fields of a request for recognition."""

    model: str = "auto"
    options: DecodingOptions = PLAIN
    form: ResponseFormat = ResponseFormat.JSON
    granularities: frozenset[Granularity] = frozenset()
    include: frozenset[Include] = frozenset()
    bucket: int | None = None
    """Bucket (0 to 99) of the person who sent the recording, see `glas.domain.canary`. None if the bucket is not known.
    """
    own: OwnModel | None = None
    """The own model of the person or chat from which the recording comes; None if there is no own model."""
    when_idle: bool = False
    """Whether the recording is recognised only while no other request waits; see `glas.nn_service.idle`."""
    hints: tuple[str, ...] = ()
    """Names of those fields of the request that only some models use: `prompt`, `hotwords`, `keywords`."""

    def whole(self, recognition: Recognition, elapsed_s: float) -> dict[str, Any]:
        """Return the answer in the format `verbose_json`; `elapsed_s` is the time since the request, in seconds."""
        verbose = render_verbose(
            recognition, self.granularities, self.include, task=self.options.task, elapsed_s=elapsed_s
        )
        return verbose.written()

    def response(self, recognition: Recognition, elapsed_s: float) -> Response:
        """Return the answer in the requested format; `elapsed_s` is the time since the request, in seconds."""
        headers = model_header(recognition)
        match self.form:
            case ResponseFormat.VERBOSE_JSON:
                return JSONResponse(self.whole(recognition, elapsed_s), headers=headers)
            case ResponseFormat.JSON:
                return JSONResponse(render_json(recognition, self.include).written(), headers=headers)
            case form:
                return PlainTextResponse(render_text(recognition, form), headers=headers, media_type=MEDIA_TYPES[form])


def model_header(recognition: Recognition) -> dict[str, str]:
    """Return the HTTP header that contains the name and version of the model that recognised a recording.

    Characters beyond ASCII are percent-encoded.
    """
    heard = recognition.hypothesis
    return {MODEL_HEADER: quote(f"{heard.model}@{heard.model_version or ''}", safe="/:@")}


def service_of(request: Request) -> RecognitionService:
    """Return the service that was opened at the start of the app (in its lifespan).

    Raises:
        ServiceFaultError: the app was not started.
    """
    found = getattr(request.app.state, "service", None)
    if not isinstance(found, RecognitionService):
        raise ServiceFaultError("the service has not started; its lifespan must be entered first")
    return found


async def answer(request: Request, file: UploadFile, question: Question, *, stream: bool) -> Response:
    """Recognise a file and return the response, as a stream of events if `stream` is set."""
    service = service_of(request)
    began_s = time.monotonic()
    if stream:
        headers = {"Cache-Control": "no-store"} | _ignored(service, question, question.model)
        events = _Stream(service, file, question).events()
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    recognition = await recognise(request, service, file, question)
    response = question.response(recognition, time.monotonic() - began_s)
    response.headers.update(_ignored(service, question, recognition.hypothesis.model))
    return response


def _ignored(service: RecognitionService, question: Question, model: str) -> dict[str, str]:
    """Return an HTTP header with the names of the request's fields that have no effect with this model.

    Return an empty dictionary if there is no such field, or if the model is not loaded.
    """
    registry = service.registry
    loaded = registry.loaded().get(registry.find(served_name(registry, model))) if question.hints else None
    if loaded is None:
        return {}
    able = loaded.engine.abilities
    unused = [hint for hint in question.hints if not (able.takes_prompt if hint == "prompt" else able.takes_keywords)]
    return {IGNORED_HEADER: ", ".join(unused)} if unused else {}


async def recognise(request: Request, service: RecognitionService, file: UploadFile, question: Question) -> Recognition:
    """Recognise a file and wait for the text; end the job if the caller closes the connection."""
    _require_bytes(file)
    model = served_name(service.registry, question.model)
    job, future = service.submit(
        file.file.read,
        model,
        question.options,
        bucket=question.bucket,
        own=question.own,
        when_idle=question.when_idle,
    )
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
        job.give_up()
        future.cancel()
    raise AbandonedError("the caller closed the connection before the end")


def _require_bytes(file: UploadFile) -> None:
    if not file.size:
        raise EmptyAudioError("expected an audio file, got 0 bytes", param="file")


class _Stream:
    """The stream of events about one recording: the text of a piece is sent as soon as the piece is recognised."""

    def __init__(self, service: RecognitionService, file: UploadFile, question: Question) -> None:
        _require_bytes(file)
        self._question = question
        self._is_verbose = question.form is ResponseFormat.VERBOSE_JSON
        self._loop = asyncio.get_running_loop()
        self._updates: asyncio.Queue[Progress | None] = asyncio.Queue()
        self._n_segments = 0
        self._began_s = time.monotonic()
        # Submit before the response begins. So if the queue is full, the response can still have the status 503.
        self._job, self._future = service.submit(
            file.file.read,
            served_name(service.registry, question.model),
            question.options,
            bucket=question.bucket,
            own=question.own,
            when_idle=question.when_idle,
            on_progress=self._on_progress,
        )
        self._future.add_done_callback(lambda _future: self._updates.put_nowait(None))

    def _on_progress(self, progress: Progress) -> None:
        self._loop.call_soon_threadsafe(self._updates.put_nowait, progress)

    async def events(self) -> AsyncIterator[bytes]:
        try:
            while (progress := await self._updates.get()) is not None:
                yield self._delta(progress)
            yield self._done(self._future.result())
        except GlasError as error:
            yield _event(to_body(error))
        finally:
            self._job.give_up()
            self._future.cancel()
        yield _END_OF_STREAM

    def _delta(self, progress: Progress) -> bytes:
        text = " ".join(segment.text for segment in progress.segments)
        body: dict[str, Any] = {
            "type": "transcript.text.delta",
            "delta": (" " if self._n_segments and text else "") + text,
            **{
                name: [one.written() for one in told]
                for name, told in render_logprobs(progress.segments, self._question.include).items()
            },
        }
        if self._is_verbose:
            body["progress_seconds"] = round(progress.done_s, 3)
            body["segments"] = [
                render_segment(self._n_segments + index, segment).written()
                | {"words": [render_word(word).written() for word in segment.words]}
                for index, segment in enumerate(progress.segments)
            ]
        self._n_segments += len(progress.segments)
        return _event(body)

    def _done(self, recognition: Recognition) -> bytes:
        body = {"type": "transcript.text.done", **render_json(recognition, self._question.include).written()}
        if self._is_verbose:
            body["result"] = self._question.whole(recognition, time.monotonic() - self._began_s)
        return _event(body)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
