"""Write a recognition in the five response formats of OpenAI's transcription API."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, Literal

from glas.clients.nn_service_bodies import (
    LANGUAGE_NAMES,
    KeywordBody,
    Logprob,
    SegmentBody,
    TranscriptionBody,
    Usage,
    VerboseBody,
    WarningBody,
    WordBody,
)
from glas.domain.hallucination import compression_ratio
from glas.domain.subtitles import to_srt, to_vtt
from glas.domain.transcription import Hypothesis, KeywordUse, Recognition, Segment, Word


class ResponseFormat(StrEnum):
    """The response formats of OpenAI's transcription API."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"


class Granularity(StrEnum):
    """The units of text for which `verbose_json` can contain times."""

    WORD = "word"
    SEGMENT = "segment"


class Include(StrEnum):
    """Contents that an answer has only if the request asks for them."""

    LOGPROBS = "logprobs"


MEDIA_TYPES = {
    ResponseFormat.TEXT: "text/plain; charset=utf-8",
    ResponseFormat.SRT: "application/x-subrip; charset=utf-8",
    ResponseFormat.VTT: "text/vtt; charset=utf-8",
}


def render_text(recognition: Recognition, form: ResponseFormat) -> str:
    """Return the answer as plain text or as subtitles, in one of the formats that are not JSON."""
    match form:
        case ResponseFormat.SRT:
            return to_srt(recognition.hypothesis)
        case ResponseFormat.VTT:
            return to_vtt(recognition.hypothesis)
        case _:
            return recognition.hypothesis.text + "\n"


def render_json(recognition: Recognition, include: Collection[Include] = ()) -> TranscriptionBody:
    """Return the answer in the format `json`."""
    heard = recognition.hypothesis
    return TranscriptionBody(text=heard.text, usage=_usage(heard), **render_logprobs(heard.segments, include))


def render_verbose(
    recognition: Recognition,
    granularities: Collection[Granularity],
    include: Collection[Include] = (),
    *,
    elapsed_s: float,
    task: Literal["transcribe", "translate"] = "transcribe",
) -> VerboseBody:
    """Return the answer in the format `verbose_json`.

    The answer contains segments unless only words are requested. The answer contains words only if they are requested.

    Args:
        recognition: the recognition that the answer contains.
        granularities: the units of text for which the request asks for times.
        include: the optional contents for which the request asks.
        elapsed_s: seconds from the request to this answer.
        task: whether the request asked for the text in the spoken language, or for a translation into English.
    """
    heard = recognition.hypothesis
    lists: dict[str, Any] = render_logprobs(heard.segments, include)
    if Granularity.SEGMENT in granularities or not granularities:
        lists["segments"] = [render_segment(index, segment) for index, segment in enumerate(heard.segments)]
    if Granularity.WORD in granularities:
        lists["words"] = [render_word(word) for word in heard.words]
    if uses := [use for segment in heard.segments for use in segment.keywords]:
        lists["keywords"] = [_keyword(use) for use in uses]
    return VerboseBody(
        task=task,
        language=_language_name("en" if task == "translate" else heard.foreign or heard.language),
        duration=round(heard.duration_s, 3),
        text=heard.text,
        usage=_usage(heard),
        model=heard.model,
        model_version=heard.model_version,
        confidence=_rounded(heard.confidence),
        fingerprint=recognition.fingerprint,
        processing_seconds=round(recognition.processing_s, 4),
        elapsed_seconds=round(elapsed_s, 4),
        warning=_warning(heard),
        **lists,
    )


def render_logprobs(segments: Iterable[Segment], include: Collection[Include]) -> dict[str, list[Logprob]]:
    """Return the field `logprobs` if the request asks for it; otherwise return an empty dictionary.

    The list in the field is empty if the model returns no tokens.
    """
    if Include.LOGPROBS not in include:
        return {}
    tokens = [token for segment in segments for token in segment.tokens]
    told = [
        Logprob(token=token.text, logprob=round(token.logprob, 6), bytes=list(token.text.encode())) for token in tokens
    ]
    return {"logprobs": told}


def render_segment(index: int, segment: Segment) -> SegmentBody:
    """Return one segment as the format `verbose_json` contains it.

    OpenAI's API requires the fields `tokens` and `seek`, which describe windows of 30 s. Not all engines have such
    windows, so `tokens` is always empty and `seek` is always 0.
    """
    return SegmentBody(
        id=index,
        seek=0,
        start=round(segment.start_s, 3),
        end=round(segment.end_s, 3),
        text=segment.text,
        tokens=[],
        temperature=segment.temperature,
        avg_logprob=_rounded(segment.avg_logprob) or 0.0,
        compression_ratio=round(compression_ratio(segment.text), 3),
        no_speech_prob=_rounded(segment.no_speech_probability) or 0.0,
        confidence=_rounded(segment.confidence),
    )


def render_word(word: Word) -> WordBody:
    """Return one word with its times, as the format `verbose_json` contains it."""
    return WordBody(
        word=word.text,
        start=round(word.start_s, 3),
        end=round(word.end_s, 3),
        confidence=_rounded(word.confidence),
    )


def _keyword(use: KeywordUse) -> KeywordBody:
    return KeywordBody(heard=use.heard, text=use.text, start=round(use.start_s, 3), end=round(use.end_s, 3))


def _language_name(code: str) -> str:
    return LANGUAGE_NAMES.get(code, code)


def _warning(heard: Hypothesis) -> WarningBody | None:
    """Return a warning if the spoken language is not the language of the text; otherwise return None."""
    if heard.foreign is None:
        return None
    said, written = _language_name(heard.foreign), _language_name(heard.language)
    return WarningBody(
        code="language_not_written",
        language=heard.foreign,
        message=f"{said} is spoken, and {heard.model} wrote it as {written}: the text is hardly right",
    )


def _usage(heard: Hypothesis) -> Usage:
    return Usage(type="duration", seconds=round(heard.duration_s, 3))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
