"""Write a hypothesis as subtitles: SubRip (SRT) and WebVTT.

Words are grouped into cues by the following rules. A cue is the text that is on the screen at one time. Only the first
rule is always followed:

    a cue has at most two lines of 42 characters, lasts at most 7 s, and contains no pause of 1 s or more;
    it ends where a sentence ends or somebody pauses for 0.5 s, or else at a comma or a shorter pause;
    it is shown for at least 0.8 s, and at least 1 s for each 21 characters, unless the next cue begins earlier.

The limits are usual for television (for example in Netflix's Timed Text Style Guide). Between two long pauses, dynamic
programming finds the division of the words into cues that has the lowest cost. The cost is high for cues that break the
other rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from glas.domain.transcription import Hypothesis, Segment

LINE_CHARS: Final = 42
LINES_PER_CUE: Final = 2
LONGEST_CUE_S: Final = 7.0
SHORTEST_CUE_S: Final = 0.8
CHARS_PER_S: Final = 21.0

_LONG_PAUSE_S: Final = 1.0
_PAUSE_S: Final = 0.5
_SHORT_PAUSE_S: Final = 0.25
# A cue must end after it starts (WebVTT requires it); one millisecond is the finest step of both formats.
_STEP_S: Final = 0.001

_SENTENCE_ENDS: Final = (".", "!", "?", "…")
_CLAUSE_ENDS: Final = (",", ";", ":", "—", "–")
_CLOSING: Final = "\"'»”“)]"

# Costs of a cue; the unit is the cost of having one more cue. A cut within a sentence has a cost, which is lower
# between two clauses. An end of a sentence inside the cue, a pause inside the cue, and a time that is too short to read
# the cue also have costs. The square of the cue's share of two full lines is added, so that the cues of a sentence have
# similar lengths.
_CUT_COST: Final = 2.0
_CLAUSE_COST: Final = 1.0
_INNER_END_COST: Final = 3.0
_SHORT_COST: Final = 5.0
_FULL_COST: Final = 2.0


class Cue(NamedTuple):
    """Lines that are on the screen from `start_s` to `end_s`, in seconds."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


class _Spoken(NamedTuple):
    """A word as it is written, with its times."""

    text: str
    start_s: float
    end_s: float

    def ends_sentence(self, following: "_Spoken") -> bool:
        is_end = self.text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
        return is_end or following.start_s - self.end_s >= _PAUSE_S

    def ends_clause(self, following: "_Spoken") -> bool:
        is_end = self.text.rstrip(_CLOSING).endswith(_CLAUSE_ENDS)
        return is_end or following.start_s - self.end_s >= _SHORT_PAUSE_S


def to_srt(hypothesis: Hypothesis) -> str:
    """Return subtitles in the format SubRip: numbered cues, with a comma before the milliseconds.

    For an empty text, return an empty string.
    """
    blocks = []
    for number, cue in enumerate(cues(hypothesis), start=1):
        # SubRip has no way to escape its own arrow.
        text = "\n".join(cue.lines).replace("-->", "→")
        blocks.append(f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{text}\n")
    return "\n".join(blocks)


def to_vtt(hypothesis: Hypothesis) -> str:
    """Return subtitles in the format WebVTT (W3C): with a header, and with a point before the milliseconds.

    The characters `&`, `<` and `>` are escaped.
    """
    blocks = ["WEBVTT\n"]
    for cue in cues(hypothesis):
        text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n{text}\n")
    return "\n".join(blocks)


def cues(hypothesis: Hypothesis) -> Iterator[Cue]:
    """Yield the cues of a hypothesis in order of time.

    If the hypothesis has no segments, its text is treated as one segment as long as the recording.
    """
    segments: Iterable[Segment] = hypothesis.segments
    if not hypothesis.segments:
        segments = [Segment(start_s=0, end_s=hypothesis.duration_s, text=hypothesis.text)]
    cut = [piece for stretch in _stretches(segments) for piece in _cut(stretch)]
    free_s = 0.0
    for number, words in enumerate(cut):
        lines = wrap(" ".join(word.text for word in words))
        # Times of neighbouring segments may overlap; cues never do.
        start_s = max(words[0].start_s, free_s)
        limit_s = start_s + LONGEST_CUE_S
        if number + 1 < len(cut):
            limit_s = min(limit_s, cut[number + 1][0].start_s)
        wanted_s = max(SHORTEST_CUE_S, sum(map(len, lines)) / CHARS_PER_S)
        end_s = min(max(words[-1].end_s, start_s + wanted_s), limit_s)
        free_s = max(end_s, start_s + _STEP_S)
        yield Cue(start_s, free_s, lines)


def wrap(text: str) -> tuple[str, ...]:
    """Break a text into lines of at most `LINE_CHARS` characters; if there are two lines, make their lengths similar.

    A word that is longer than a line is put on a separate line.
    """
    words = text.split()
    if not words:
        return ()
    lines = _fill(words)
    if len(lines) != LINES_PER_CUE:
        return lines
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    return min(splits, key=lambda pair: (max(map(len, pair)), len(pair[0])))


def _fill(words: Iterable[str]) -> tuple[str, ...]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= LINE_CHARS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines)


def _stretches(segments: Iterable[Segment]) -> Iterator[list[_Spoken]]:
    """Group the words into lists; a long pause begins a new list."""
    stretch: list[_Spoken] = []
    for segment in segments:
        for word in _spoken(segment):
            if stretch and word.start_s - stretch[-1].end_s >= _LONG_PAUSE_S:
                yield stretch
                stretch = []
            stretch.append(word)
    if stretch:
        yield stretch


def _spoken(segment: Segment) -> list[_Spoken]:
    """Return the words of a segment, each with its start and its end.

    If the words have no times, the time of the segment is divided among them in proportion to their letters.
    """
    written = segment.text.split()
    if segment.words:
        own = [word.text.strip() for word in segment.words]
        texts = written if len(written) == len(own) else own
        timed = zip(texts, segment.words, strict=True)
        return [_Spoken(text, word.start_s, word.end_s) for text, word in timed if text]
    letters = sum(len(word) + 1 for word in written)
    found, done = [], 0
    for word in written:
        start_s, done = _between(segment, done / letters), done + len(word) + 1
        found.append(_Spoken(word, start_s, _between(segment, done / letters)))
    return found


def _between(segment: Segment, share: float) -> float:
    return segment.start_s + (segment.end_s - segment.start_s) * share


def _cut(words: Sequence[_Spoken]) -> Iterator[Sequence[_Spoken]]:
    """Divide words, among which there is no long pause, into the cues that have the lowest total cost."""
    ends = [word.ends_sentence(following) for word, following in pairwise(words)]
    n_ends = [0, *accumulate(ends)]
    cut_costs = [
        0 if is_end else _CLAUSE_COST if word.ends_clause(following) else _CUT_COST
        for is_end, (word, following) in zip(ends, pairwise(words), strict=True)
    ]
    cheapest = [0.0, *[float("inf")] * len(words)]
    came_from = [0] * len(cheapest)
    for start, first in enumerate(words):
        for end, letters in _fitting(words, start):
            cost = cheapest[start] + 1 + _FULL_COST * (letters / (LINE_CHARS * LINES_PER_CUE)) ** 2
            cost += _INNER_END_COST * (n_ends[end - 1] - n_ends[start])
            # After the last word there is a long pause, in which its cue can stay.
            if end < len(words):
                is_short = words[end].start_s - first.start_s < SHORTEST_CUE_S
                cost += cut_costs[end - 1] + _SHORT_COST * is_short
            if cost < cheapest[end]:
                cheapest[end], came_from[end] = cost, start
    seams = [len(words)]
    while seams[-1]:
        seams.append(came_from[seams[-1]])
    return (words[start:end] for start, end in pairwise(seams[::-1]))


def _fitting(words: Sequence[_Spoken], start: int) -> Iterator[tuple[int, int]]:
    """Yield each possible end of a cue that begins at `words[start]`, with the number of characters of the cue.

    A cue of one word is always possible.
    """
    n_lines, width, letters = 0, LINE_CHARS, -1
    for index in range(start, len(words)):
        length = len(words[index].text)
        if width + 1 + length <= LINE_CHARS:
            width += 1 + length
        else:
            n_lines, width = n_lines + 1, length
        letters += 1 + length
        is_too_long = words[index].end_s - words[start].start_s > LONGEST_CUE_S
        if index > start and (is_too_long or n_lines > LINES_PER_CUE):
            return
        yield index + 1, letters


def _time(seconds: float, point: str) -> str:
    whole_s, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole_s, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{milliseconds:03}"
