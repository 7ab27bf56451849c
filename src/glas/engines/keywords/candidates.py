"""Find recognised words in whose place a keyword may have been said."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from glas.domain.transcription import Word
from glas.engines.keywords.latin import readings
from glas.engines.keywords.sounds import Sounds, distance, distances, sounds_of
from glas.engines.keywords.vocabulary import LEAST_SOUNDS, Form, Keywords, parts_of

MOST_HEARD_WORDS: Final = 3  # recognised words that one keyword may replace
DOUBTFUL: Final = 0.8
"""A word with a lower confidence than this may be a wrongly recognised keyword.

This limit was chosen on the set `dev` of `benchmarks/keywords.txt`. In 88 places of this set, the embedded model wrote
other words instead of a keyword. In each place, the lowest confidence of these words was at most 0.80. In 95 % of the
places, the lowest confidence was at most 0.66.
"""
MOST_DISTANCE: Final = 0.33
MOST_OF_A_KEYWORD: Final = 3  # candidates for one place, with short words around it and without each

# Short words that may be recognised as a part of a name: «изъела будет» for «из Елабуги».
_BEFORE: Final = ("в", "во", "из", "к", "с", "со", "на", "у", "от", "о", "до", "за", "и")
_BEHIND: Final = ("до", "и", "на", "не", "же", "ли")
_MOST_LOST_OF_A_SHORT_WORD: Final = 0.3
_COST_OF_A_SHORT_WORD: Final = 0.05  # added to the distance

_MOST_OF_OTHER_CLASSES: Final = 0.4
_ENDS = (".", "!", "?", "…")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form of a keyword that may have been said instead of some recognised words.

    Attributes:
        start, end: the range `[start, end)` of the recognised words that the form would replace.
        form: the form of a keyword that may have been said.
        distance: phonetic distance between the recognised words and the form, divided by the number of sounds of the
            form; 0 for equal sounds. If `before` or `behind` is not empty, a small constant is added.
        before, behind: a short word that was said before or after the keyword, but was recognised as a part of the
            replaced words; empty if there is none.
    """

    start: int
    end: int
    form: Form
    distance: float
    before: str = ""
    behind: str = ""

    @property
    def written(self) -> str:
        """The text that replaces the recognised words, if the form of the keyword was said."""
        return f"{self.before} {self.form.written} {self.behind}".strip()

    @property
    def said(self) -> str:
        """The pronunciation of `written`, in Russian letters."""
        return f"{self.before} {self.form.said} {self.behind}".strip()

    def overlaps(self, other: "Candidate") -> bool:
        """Return whether there is a word that both candidates would replace."""
        return self.start < other.end and other.start < self.end

    def is_alike(self, other: "Candidate") -> bool:
        """Return whether both candidates have the same keyword, and there is a word that both would replace.

        If only one of the two candidates has a short word before or after the keyword, they are not alike.
        """
        has_another = bool(self.before or self.behind), bool(other.before or other.behind)
        return self.form.keyword == other.form.keyword and self.overlaps(other) and has_another[0] == has_another[1]


Knows = Callable[[str], bool]


def spelt_stretches(words: Sequence[Word], keywords: Keywords) -> list[Candidate]:
    """Find ranges of words that have the same spelling as a keyword.

    The returned ranges do not overlap. If two ranges overlap, only the longer one is returned.
    """
    parts = [parts_of(word.text) for word in words]
    found: list[Candidate] = []
    for length in range(keywords.longest, 0, -1):
        for start in range(len(words) - length + 1):
            end = start + length
            key = tuple(part for word in parts[start:end] for part in word)
            one = Candidate(start, end, keywords.spelt[key], 0.0) if key in keywords.spelt else None
            if one and not any(one.overlaps(other) for other in found):
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def candidates(
    words: Sequence[Word], keywords: Keywords, spelt: Sequence[Candidate], knows: Knows | None
) -> list[Candidate]:
    """Find uncertain or unknown words that sound similar to a keyword, the most similar words first.

    Args:
        words: the recognised words.
        keywords: the keywords that the caller sent, with an index for searching.
        spelt: the result of `spelt_stretches`; the words in these ranges are skipped.
        knows: function that returns whether a word, in lower case, exists in the language; None if the engine has no
            list of words.
    """
    doubtful = [_is_doubtful(word, knows) for word in words]
    is_free = [not any(one.start <= place < one.end for one in spelt) for place in range(len(words))]
    found: list[Candidate] = []
    for start in range(len(words)):
        for end in range(start + 1, min(start + MOST_HEARD_WORDS, len(words)) + 1):
            if not is_free[end - 1] or (end - start > 1 and words[end - 2].text.endswith(_ENDS)):
                break
            if any(doubtful[start:end]):
                found += _of_stretch(words, start, end, keywords)
    return _best(found)


def _best(found: Sequence[Candidate]) -> list[Candidate]:
    """Of candidates that are alike (see `Candidate.is_alike`), keep at most `MOST_OF_A_KEYWORD`.

    The kept candidates have different texts. They are the candidates that sound most similar to the recognised words.
    """
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: (one.distance, one.end - one.start)):
        rivals = [other for other in kept if one.is_alike(other)]
        if len(rivals) < MOST_OF_A_KEYWORD and all(other.written != one.written for other in rivals):
            kept.append(one)
    return kept


def _is_doubtful(word: Word, knows: Knows | None) -> bool:
    if word.confidence is None or word.confidence < DOUBTFUL:
        return True
    return knows is not None and not all(map(knows, parts_of(word.text)))


def _of_stretch(words: Sequence[Word], start: int, end: int, keywords: Keywords) -> list[Candidate]:
    found = []
    for before, heard, behind in _parted(_sounds(words[start:end])):
        forms = keywords.near(heard, most=_MOST_OF_OTHER_CLASSES)
        costs = distances((form.sounds for form in forms), heard, most=MOST_DISTANCE)
        for form, cost in zip(forms, costs, strict=True):
            if cost is not None:
                far = cost / len(form.sounds) + _COST_OF_A_SHORT_WORD * bool(before or behind)
                found.append(Candidate(start, end, form, far, before, behind))
    return found


def _parted(heard: Sounds) -> Iterator[tuple[str, Sounds, str]]:
    """Yield all recognised sounds, and then the sounds without a short word at their beginning or end.

    Each result consists of the removed word at the beginning, the remaining sounds, and the removed word at the end. A
    word that was not removed is empty.
    """
    yield "", heard, ""
    for word in _BEFORE:
        own = sounds_of((word,))
        if len(heard) >= len(own) + LEAST_SOUNDS and _is_like(own, heard[: len(own)]):
            yield word, heard[len(own) :], ""
    for word in _BEHIND:
        own = sounds_of((word,))
        if len(heard) >= len(own) + LEAST_SOUNDS and _is_like(own, heard[-len(own) :]):
            yield "", heard[: -len(own)], word


def _is_like(one: Sounds, other: Sounds) -> bool:
    return distance(one, other) <= _MOST_LOST_OF_A_SHORT_WORD


def _sounds(words: Sequence[Word]) -> Sounds:
    """Return the sounds of words; if one of the words contains digits, return no sounds."""
    parts = [part for word in words for part in parts_of(word.text.replace("ё", "о"))]
    if any(letter.isdigit() for part in parts for letter in part):
        return b""
    return sounds_of(tuple(readings(part)[0] for part in parts))
