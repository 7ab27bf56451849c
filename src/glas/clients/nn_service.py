"""The typed client of nn_service."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
import structlog

from glas.clients.events import PartialText, read_events
from glas.clients.http import call, exchange, streamed
from glas.clients.nn_service_bodies import LANGUAGE_NAMES, ComparisonBody, HealthBody, VerboseBody
from glas.clients.nn_service_model_bodies import (
    CandidateBody,
    FetchRequest,
    OfferedBody,
    OfferedModelsBody,
    SwappedBody,
    SwapRequest,
)
from glas.clients.recognition_figures import RecognitionFigures, read_figures
from glas.clients.vocabulary_bodies import MOST_KEYWORDS
from glas.domain.corrections import Sound
from glas.domain.decoding import RUSSIAN
from glas.domain.errors import GlasError
from glas.domain.own_models import OwnModel
from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis, KeywordUse, Recognition, Segment, Word

_HEALTH_TIMEOUT_S = 5.0
_MODELS_TIMEOUT_S = 10.0
_LOAD_TIMEOUT_S = 300.0
# The person who sent a correction waits for this call. If it takes longer, the correction is judged by the letters of
# the two texts alone.
_JUDGE_TIMEOUT_S = 30.0
_MOST_KEYWORD_CHARS = 2000
_SEPARATOR = ", "

_log = structlog.stdlib.get_logger("glas.clients")

_CODES = {name: code for code, name in LANGUAGE_NAMES.items()}


class NnServiceClient:
    """Calls nn_service, in this process or in another process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def health(self, *, bucket: int | None = None, own: OwnModel | None = None) -> HealthBody:
        """Return the state of nn_service.

        The field `model` of the state names the model that answers requests with this bucket or own model.

        Raises:
            ServiceError: the service does not work or cannot be reached.
        """
        params: dict[str, Any] = {"bucket": bucket, **_own_fields(own)}
        return HealthBody.read(await call(self._http, "GET", "/health", timeout_s=_HEALTH_TIMEOUT_S, params=params))

    async def transcribe(
        self,
        data: bytes,
        *,
        filename: str = "audio",
        model: str = "auto",
        keywords: Sequence[str] = (),
        bucket: int | None = None,
        own: OwnModel | None = None,
        when_idle: bool = False,
        timeout_s: float = 3600,
        on_progress: Callable[[PartialText], None] | None = None,
    ) -> Recognition:
        """Recognise one recording; all options that are not arguments have the default values of the service.

        Args:
            data: the bytes of a whole audio file.
            filename: name of the file, which is only shown in logs; the format is detected from the bytes.
            model: `auto`, or another name that the service knows.
            keywords: words that may be said, the most useful first; if there are more than the service permits, the
                last ones are left out.
            bucket: the bucket of the person who sent the recording; see `glas.domain.canary`.
            own: the own model of the person or chat from which the recording comes; if this model is not in memory, the
                default model answers.
            when_idle: whether to recognise only while no other request waits for a text. If another request waits or
                arrives, OverloadedError is raised.
            timeout_s: longest wait, seconds, including the time in the queue.
            on_progress: is called with the partial text after each recognised piece of speech.

        Raises:
            AudioError: the bytes cannot be decoded to samples.
            OverloadedError: the queue is full, or the service is not idle; `retry_after_s` contains the seconds to
                wait.
            ServiceError: the service cannot be reached, or failed.
        """
        form = _form(model, keywords, bucket, own, when_idle=when_idle)
        files = {"file": (filename, data, "application/octet-stream")}
        path = "/v1/audio/transcriptions"
        if on_progress is None:
            body = await call(self._http, "POST", path, timeout_s=timeout_s, files=files, data=form)
            return _recognition(VerboseBody.read(body))
        form = {**form, "stream": "true"}
        async with streamed(self._http, "POST", path, timeout_s=timeout_s, files=files, data=form) as response:
            return _recognition(await read_events(response, on_progress))

    async def judge_text(self, audio: Callable[[], Awaitable[bytes]], text: str, *, against: str) -> Sound:
        """Estimate whether `text` was said in a recording: nn_service computes how well the text fits the sound.

        If the service cannot score texts or cannot be reached, the result is `Sound.UNKNOWN`; no `GlasError` is raised.

        Args:
            audio: function that fetches the bytes of the recording; it is called only if the bytes are needed.
            text: the words that may have been said.
            against: the present text of the recording; if `text` has the same words, `Sound.SUPPORTS` is returned, and
                nn_service is not called.
        """
        if normalise(text) == normalise(against):
            return Sound.SUPPORTS
        try:
            files = {"file": ("audio", await audio(), "application/octet-stream")}
            path = "/v1/audio/comparisons"
            body = await call(self._http, "POST", path, timeout_s=_JUDGE_TIMEOUT_S, files=files, data={"text": text})
            return ComparisonBody.read(body).sound
        except GlasError as error:
            _log.warning("a correction is not judged by its sound", error=error.message)
            return Sound.UNKNOWN

    async def offered_models(self) -> list[OfferedBody]:
        """Return the models that Glas knows by name, the best one first; requires an administrator's key.

        Raises:
            ServiceError: the service cannot be reached, or the key is not an administrator's.
        """
        body = await call(self._http, "GET", "/api/models", timeout_s=_MODELS_TIMEOUT_S)
        return OfferedModelsBody.read(body).models

    async def fetch_and_serve(self, model: str) -> None:
        """Start the download of a model, which then becomes the default model; a repeated call changes nothing.

        Raises:
            UnknownModelError: there is no model of that name.
            ConflictError: another model is being downloaded.
            ServiceError: the service cannot be reached, or the key is not an administrator's.
        """
        await call(
            self._http, "POST", f"/api/fetches/{model}", timeout_s=_MODELS_TIMEOUT_S, body=FetchRequest(serve=True)
        )

    async def serve(self, model: str) -> bool:
        """Make a model on disk the default model; the call returns when the model serves.

        Returns:
            Whether the model will also be the default model after a restart.

        Raises:
            UnknownModelError: the model is not on disk.
            ModelError: the model cannot be loaded; the former default model continues to serve.
            ServiceError: the service cannot be reached, or the key is not an administrator's.
        """
        body = SwapRequest(model=model)
        told = await call(self._http, "PUT", "/api/ps/auto", timeout_s=_LOAD_TIMEOUT_S, body=body)
        return bool(SwappedBody.read(told).survives_restart)

    async def candidate(self) -> CandidateBody | None:
        """Return the candidate that answers a share of people; None if there is none.

        Raises:
            ServiceError: the service cannot be reached, or failed.
        """
        body = await call(self._http, "GET", "/api/candidate", timeout_s=_MODELS_TIMEOUT_S)
        return None if body is None else CandidateBody.read(body)

    async def take_candidate_back(self) -> None:
        """End the trial of the candidate, so that the default model answers everybody; a repeated call changes nothing.

        Raises:
            ServiceError: the service cannot be reached, or the key is not an administrator's.
        """
        await exchange(self._http, "DELETE", "/api/candidate", timeout_s=_MODELS_TIMEOUT_S)

    async def figures(self) -> RecognitionFigures:
        """Return the counts and times of recognition that the service has collected since its start.

        Raises:
            ServiceError: the service cannot be reached.
        """
        return read_figures((await exchange(self._http, "GET", "/metrics", timeout_s=_HEALTH_TIMEOUT_S)).text)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _form(
    model: str, keywords: Sequence[str], bucket: int | None, own: OwnModel | None, *, when_idle: bool
) -> dict[str, str | list[str]]:
    """Return the fields of a request for a recognition with words, segments and their times."""
    form: dict[str, str | list[str]] = {
        "model": model,
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
        "keywords[]": list(_fitting(keywords)),
        **_own_fields(own),
    }
    if bucket is not None:
        form["bucket"] = str(bucket)
    if when_idle:
        form["when_idle"] = "true"
    return form


def _own_fields(own: OwnModel | None) -> dict[str, str]:
    """Return the form fields that name an own model."""
    return {} if own is None else {"own_model": str(own.model), "instead_of": own.instead_of}


def _fitting(keywords: Sequence[str]) -> Iterator[str]:
    """Yield the first keywords, up to the number that the service accepts in one request."""
    n_chars = 0
    for word in keywords[:MOST_KEYWORDS]:
        n_chars += len(word) + len(_SEPARATOR)
        if n_chars > _MOST_KEYWORD_CHARS:
            return
        yield word


def _recognition(body: VerboseBody) -> Recognition:
    """Convert an answer of nn_service into a recognition.

    The answer has one list of segments and one list of words. In the recognition, each segment contains its words.
    """
    words = [Word(text=one.word, start_s=one.start, end_s=one.end, confidence=one.confidence) for one in body.words]
    uses = [KeywordUse(heard=one.heard, text=one.text, start_s=one.start, end_s=one.end) for one in body.keywords]
    segments = tuple(
        Segment(
            start_s=segment.start,
            end_s=segment.end,
            text=segment.text,
            # A word belongs to the segment in which it begins; segments do not overlap.
            words=tuple(word for word in words if segment.start <= word.start_s < segment.end),
            avg_logprob=segment.avg_logprob,
            no_speech_probability=segment.no_speech_prob,
            temperature=segment.temperature,
            confidence=segment.confidence,
            keywords=tuple(use for use in uses if segment.start <= use.start_s < segment.end),
        )
        for segment in body.segments
    )
    foreign = None if body.warning is None else body.warning.language
    hypothesis = Hypothesis(
        text=body.text,
        duration_s=body.duration,
        segments=segments,
        # If there is a warning, `language` is the spoken language, but the text was recognised as Russian.
        language=_CODES.get(body.language, body.language) if foreign is None else RUSSIAN,
        foreign=foreign,
        model=body.model,
        model_version=body.model_version,
    )
    return Recognition(hypothesis=hypothesis, processing_s=body.processing_seconds, fingerprint=body.fingerprint)
