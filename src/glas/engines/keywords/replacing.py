"""Replace recognised words by keywords, if the engine gives the text with the keywords a high enough probability."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from glas.domain.transcription import SURE, KeywordUse, Word
from glas.engines.keywords.candidates import Candidate, Knows, candidates, spelt_stretches
from glas.engines.keywords.vocabulary import Keywords

MOST_SCORED: Final = 8  # texts that are scored; the decoder reads each of them once
MOST_LOST: Final = 8.0
"""Largest decrease of the text's log-probability at which a keyword of one word is written.

For a keyword of n words, the limit is n times as large. The decrease is the natural logarithm of the probability of the
recognised text, minus that of the text with the keyword. This limit was chosen on the set `dev` of
`benchmarks/keywords.txt`. For 42 of 55 terms that were recognised as other words, the decrease is at most this limit.
For each of 570 keywords that were not said but sound similar to said words, the decrease is at least 12
(docs/lab-notes.md).
"""

ALIKE: Final = 0.12
UNSURE: Final = SURE
"""`ALIKE` and `UNSURE` are limits for an engine that cannot compute the probability of a text.

With such an engine, a keyword replaces words only if their phonetic distance from the keyword is at most `ALIKE`, and
their lowest confidence is below `UNSURE`.
"""

Score = Callable[[Sequence[str]], Sequence[float] | None]
"""A function that returns the natural logarithm of the probability of each given text.

The first text is the recognised text. The function returns None if the engine cannot compute the probabilities.
"""


class Found(NamedTuple):
    """The words after the replacement, and a list of the replacements: old words, keyword and times."""

    words: tuple[Word, ...]
    uses: tuple[KeywordUse, ...]


def with_keywords(words: Sequence[Word], keywords: Keywords, score: Score | None, knows: Knows | None) -> Found:
    """Replace words that sound similar to keywords.

    Args:
        words: the recognised words; joined by spaces they are the text.
        keywords: the keywords that the caller sent, with an index for searching.
        score: function that returns the log-probabilities of texts, given the sound; None if the engine has no such
            function.
        knows: function that returns whether a word, in lower case, exists in the language; None if the engine has no
            list of words.
    """
    spelt = spelt_stretches(words, keywords)
    near = candidates(words, keywords, spelt, knows)
    chosen = borne(words, near, score) if score else alike(words, near)
    return replaced(words, [*spelt, *chosen])


def alike(words: Sequence[Word], near: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates that sound almost like uncertain words; no two of these candidates overlap.

    Use this function for engines that cannot compute the probability of a text.
    """
    found: list[Candidate] = []
    for one in near:
        sure = [word.confidence for word in words[one.start : one.end] if word.confidence is not None]
        is_unsure = bool(sure) and min(sure) < UNSURE
        if is_unsure and one.distance <= ALIKE and not any(one.overlaps(other) for other in found):
            found.append(one)
    return found


def borne(words: Sequence[Word], near: Sequence[Candidate], score: Score) -> list[Candidate]:
    """Return candidates with which the text is still probable enough; no two of these candidates overlap.

    A candidate may decrease the log-probability of the text by at most `MOST_LOST` for each word of the keyword.
    """
    if not near:
        return []
    tried = list({_scored_text(words, one): one for one in reversed(near[:MOST_SCORED])}.items())
    scores = score([" ".join(word.text for word in words), *(text for text, _ in tried)])
    if scores is None:
        return []
    lost = sorted(((scores[0] - other, one) for other, (_, one) in zip(scores[1:], tried, strict=True)), key=_cost)
    found: list[Candidate] = []
    for cost, one in lost:
        if cost <= MOST_LOST * len(one.form.said.split()) and not any(one.overlaps(other) for other in found):
            found.append(one)
    return found


def _cost(pair: tuple[float, Candidate]) -> tuple[float, float]:
    return pair[0], pair[1].distance


def replaced(words: Sequence[Word], chosen: Sequence[Candidate]) -> Found:
    """Replace words by candidates that do not overlap; the new words get the punctuation and times of the old words."""
    written: list[Word] = []
    uses: list[KeywordUse] = []
    place = 0
    for one in sorted(chosen, key=lambda one: one.start):
        old = words[one.start : one.end]
        new = _with_marks(old, one.written)
        heard = " ".join(word.text for word in old)
        written += [*words[place : one.start], *(_timed(old, new) if new != heard else old)]
        if new != heard:
            use = KeywordUse(
                heard=_core(heard), text=_core(new), start_s=old[0].start_s, end_s=max(old[-1].end_s, old[0].start_s)
            )
            uses.append(use)
        place = one.end
    return Found((*written, *words[place:]), tuple(uses))


def _scored_text(words: Sequence[Word], one: Candidate) -> str:
    new = _with_marks(words[one.start : one.end], one.said)
    before, after = words[: one.start], words[one.end :]
    return " ".join([*(word.text for word in before), new, *(word.text for word in after)])


def _with_marks(old: Sequence[Word], text: str) -> str:
    """Add the punctuation around the old words to a text, and a capital if the old words began with a capital."""
    first, last = old[0].text, old[-1].text
    before = first[: len(first) - len(first.lstrip("".join(set(first) - _letters(first))))]
    behind = last[len(last.rstrip("".join(set(last) - _letters(last)))) :]
    if first[len(before) :][:1].isupper() and text.split(maxsplit=1)[0].islower():
        text = text[0].upper() + text[1:]
    return f"{before}{text}{behind}"


def _letters(text: str) -> set[str]:
    return {letter for letter in text if letter.isalnum()}


def _core(text: str) -> str:
    marks = "".join(set(text) - _letters(text))
    return text.strip(marks)


def _timed(old: Sequence[Word], text: str) -> list[Word]:
    """Give times and confidences to the new words.

    If there are as many new words as old words, each new word gets the times and the confidence of the old word at the
    same index. Otherwise the time of the old words is divided among the new words in proportion to their numbers of
    letters, and each new word gets the lowest confidence of the old words.
    """
    start_s, end_s = old[0].start_s, max(old[-1].end_s, old[0].start_s)
    sure = [word.confidence for word in old if word.confidence is not None]
    parts = text.split()
    if len(parts) == len(old):
        return [word.model_copy(update={"text": part}) for word, part in zip(old, parts, strict=True)]
    per_letter, done, found = (end_s - start_s) / max(sum(map(len, parts)), 1), 0, []
    for part in parts:
        begin = start_s + done * per_letter
        done += len(part)
        found.append(
            Word(
                text=part,
                start_s=begin,
                end_s=min(max(start_s + done * per_letter, begin), end_s) if part is not parts[-1] else end_s,
                confidence=min(sure) if sure else None,
            )
        )
    return found
