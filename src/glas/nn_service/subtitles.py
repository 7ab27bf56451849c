"""The route that makes subtitles from a corrected text.

Corrected and recognised texts are divided into cues in the same way.
"""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from glas.domain.subtitles import to_srt, to_vtt
from glas.domain.transcription import Hypothesis, Segment, Word
from glas.nn_service.formats import MEDIA_TYPES, ResponseFormat
from glas.serving.openapi import failures

_MOST_SEGMENTS = 10_000
_MOST_WORDS = 2_000  # in one segment
_MOST_CHARS = 20_000  # of one text

_Seconds = Annotated[float, Field(ge=0, le=1e6, strict=True)]


class _Part(BaseModel):
    # Other fields of `verbose_json` are ignored, so that its segments can be sent back unchanged.
    model_config = ConfigDict(frozen=True)

    start: _Seconds
    end: _Seconds


class TimedWord(_Part):
    """A word with its times in seconds."""

    word: str = Field(max_length=_MOST_CHARS)


class TimedSegment(_Part):
    """A segment with its times in seconds."""

    text: str = Field(max_length=_MOST_CHARS)
    words: list[TimedWord] = Field(
        default=[],
        max_length=_MOST_WORDS,
        description="Words of the segment with times. If there are none, the time of the segment is divided among "
        "the words by their number of letters.",
    )


class SubtitlesRequest(BaseModel):
    """A text as segments with times, in the order of the times; and the format of the subtitles."""

    model_config = ConfigDict(frozen=True)

    segments: list[TimedSegment] = Field(max_length=_MOST_SEGMENTS)
    format: Literal["srt", "vtt"] = "srt"


def make_router(*, max_body_bytes: int) -> APIRouter:
    """Make the router of the route for subtitles."""
    router = APIRouter(tags=["recognition"], max_body_size=max_body_bytes)
    text = {"schema": {"type": "string"}}
    router.add_api_route(
        "/v1/subtitles",
        subtitles,
        methods=["POST"],
        summary="Make subtitles from a text with times",
        response_class=Response,
        responses={200: {"content": {"application/x-subrip": text, "text/vtt": text}}, **failures(400, 413)},
    )
    return router


async def subtitles(wanted: Annotated[SubtitlesRequest, Body()]) -> Response:
    """Make subtitles (SubRip or WebVTT) from segments.

    The segments are like those of `verbose_json`, but a person may have changed their text.

    """
    form = ResponseFormat(wanted.format)
    write = to_srt if form is ResponseFormat.SRT else to_vtt
    written = await asyncio.to_thread(write, _hypothesis(wanted))
    return Response(written, media_type=MEDIA_TYPES[form])


def _hypothesis(wanted: SubtitlesRequest) -> Hypothesis:
    segments = tuple(
        Segment(
            start_s=one.start,
            end_s=one.end,
            text=one.text,
            words=tuple(Word(text=word.word, start_s=word.start, end_s=word.end) for word in one.words),
        )
        for one in wanted.segments
    )
    return Hypothesis(text=" ".join(one.text for one in segments), duration_s=0, segments=segments, model="")
