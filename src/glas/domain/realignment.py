"""Give corrected words the times of the words that they replace, so that subtitles can show corrections."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis, Segment, Word


class _Timed(NamedTuple):
    """A word with its times, and the number of its segment."""

    text: str
    start_s: float
    end_s: float
    segment: int


def realigned(hypothesis: Hypothesis, text: str) -> Hypothesis:
    """Replace the words of a hypothesis by the words of `text`, and compute a start and an end for each new word.

    Words that are in both texts keep their times. If other words replace words of the hypothesis, the time of the
    replaced words is divided among the new words in proportion to their numbers of letters. For an added word, the
    start and the end are the time at which the word before it ends. If a segment has no times of words, its time is
    first divided among its words in the same proportion.

    Returns:
        The hypothesis with the new words. The new words have no confidence, because a person wrote them.
    """
    old = list(_timed(hypothesis))
    new = text.split()
    if not old:
        return hypothesis.model_copy(update={"text": text, "segments": ()})
    keys = [_key(word.text) for word in old], [_key(word) for word in new]
    same = difflib.SequenceMatcher(None, *keys, autojunk=False)
    placed: list[_Timed] = []
    for what, i1, i2, j1, j2 in same.get_opcodes():
        if what == "equal":
            pairs = zip(old[i1:i2], new[j1:j2], strict=True)
            placed += [word._replace(text=written) for word, written in pairs]
        elif j2 > j1:
            placed += _spread(new[j1:j2], old[i1:i2], old[i1 - 1] if i1 else old[0]._replace(end_s=old[0].start_s))
    segments = tuple(_segment(hypothesis, number, list(words)) for number, words in groupby(placed, _segment_number))
    return hypothesis.model_copy(update={"text": text, "segments": segments})


def _timed(hypothesis: Hypothesis) -> Iterator[_Timed]:
    """Yield all words with times; if the words of a segment have no times, divide the segment's time among them."""
    segments = hypothesis.segments or (Segment(start_s=0.0, end_s=hypothesis.duration_s, text=hypothesis.text),)
    for number, segment in enumerate(segments):
        if segment.words:
            for word in segment.words:
                yield _Timed(word.text.strip(), word.start_s, word.end_s, number)
        else:
            yield from _divided(segment.text.split(), segment.start_s, segment.end_s, number)


def _divided(words: Sequence[str], start_s: float, end_s: float, segment: int) -> Iterator[_Timed]:
    n_letters = sum(map(len, words))
    at = 0
    for word in words:
        begin = start_s + (end_s - start_s) * at / n_letters
        at += len(word)
        yield _Timed(word, begin, start_s + (end_s - start_s) * at / n_letters, segment)


def _spread(words: Sequence[str], replaced: Sequence[_Timed], before: _Timed) -> Iterable[_Timed]:
    """Give times to words that replace other words, or that were added after the word `before`."""
    if not replaced:
        return _divided(words, before.end_s, before.end_s, before.segment)
    return _divided(words, replaced[0].start_s, replaced[-1].end_s, replaced[0].segment)


def _key(word: str) -> str:
    return normalise(word) or word


def _segment_number(word: _Timed) -> int:
    return word.segment


def _segment(hypothesis: Hypothesis, number: int, words: Sequence[_Timed]) -> Segment:
    """Make a segment with other words and the times of the segment `number`."""
    made = tuple(Word(text=word.text, start_s=word.start_s, end_s=word.end_s) for word in words)
    text = " ".join(word.text for word in words)
    if not hypothesis.segments:
        return Segment(start_s=0.0, end_s=hypothesis.duration_s, text=text, words=made)
    old = hypothesis.segments[number]
    return Segment(start_s=old.start_s, end_s=old.end_s, text=text, words=made)
