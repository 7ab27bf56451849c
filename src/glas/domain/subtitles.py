"""A hypothesis as subtitles: SubRip (SRT) and WebVTT.

A segment is one cue. A segment that would not fit on the screen is cut between words where word times are known; the
limits are those of television practice (two lines of 42 characters, for example Netflix' Timed Text Style Guide).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from glas.domain.transcription import Hypothesis, Segment, Word

LINE_CHARS = 42
LINES_PER_CUE = 2

# A cue must end after it starts (WebVTT requires it); one millisecond is the finest step of both formats.
_SHORTEST_CUE_S = 0.001


class Cue(NamedTuple):
    """Lines that are on the screen from `start_s` to `end_s`, in seconds."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def to_srt(hypothesis: Hypothesis) -> str:
    """Write SubRip: numbered cues, comma before the milliseconds. Empty text gives an empty file."""
    blocks = []
    for number, cue in enumerate(cues(hypothesis), start=1):
        # SubRip has no way to escape its own arrow.
        text = "\n".join(cue.lines).replace("-->", "→")
        blocks.append(f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{text}\n")
    return "\n".join(blocks)


def to_vtt(hypothesis: Hypothesis) -> str:
    """Write WebVTT (W3C): header, point before the milliseconds, `&`, `<` and `>` escaped."""
    blocks = ["WEBVTT\n"]
    for cue in cues(hypothesis):
        text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{text}\n")
    return "\n".join(blocks)


def cues(hypothesis: Hypothesis) -> Iterator[Cue]:
    """Cut a hypothesis into cues, in order of time; a text without segments is one cue over the whole recording."""
    segments: Iterable[Segment] = hypothesis.segments
    if not hypothesis.segments:
        segments = [Segment(start_s=0, end_s=hypothesis.duration_s, text=hypothesis.text)]
    for segment in segments:
        lines = wrap(segment.text)
        if not lines:
            continue
        if len(lines) <= LINES_PER_CUE or not segment.words:
            yield _cue(segment.start_s, segment.end_s, lines)
        else:
            yield from _cut(segment.words)


def wrap(text: str) -> tuple[str, ...]:
    """Break a text into lines of at most `LINE_CHARS`; a longer word stands alone, two lines come out about equal."""
    words = text.split()
    if not words:
        return ()
    lines = _fill(words, LINE_CHARS)
    if len(lines) != LINES_PER_CUE:
        return lines
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return min(splits, key=lambda pair: (max(map(len, pair)), len(pair[0])))


def _fill(words: Iterable[str], width: int) -> tuple[str, ...]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines)


def _cut(words: Iterable[Word]) -> Iterator[Cue]:
    kept: list[Word] = []
    for word in words:
        if kept and len(wrap(_text([*kept, word]))) > LINES_PER_CUE:
            yield _cue(kept[0].start_s, kept[-1].end_s, wrap(_text(kept)))
            kept = []
        kept.append(word)
    if kept:
        yield _cue(kept[0].start_s, kept[-1].end_s, wrap(_text(kept)))


def _text(words: Iterable[Word]) -> str:
    return " ".join(word.text.strip() for word in words)


def _cue(start_s: float, end_s: float, lines: tuple[str, ...]) -> Cue:
    return Cue(start_s, max(end_s, start_s + _SHORTEST_CUE_S), lines)


def _time(seconds: float, point: str) -> str:
    whole_s, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole_s, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{milliseconds:03}"
