"""Prepare keywords for a quick search: compute their forms, and the sounds of each form."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from glas.domain.decoding import MOST_KEYWORDS
from glas.engines.keywords.declension import forms
from glas.engines.keywords.latin import LATIN, readings
from glas.engines.keywords.sounds import N_CLASSES, Sounds, profile, sounds_of

MOST_WORDS: Final = 3  # of a keyword
LEAST_SOUNDS: Final = 4
"""Keywords with fewer sounds are similar to too many words. Such keywords are written only where recognised words have
the same spelling.
"""

_SEPARATORS: Final = re.compile(r"[,;\n]")
_PART: Final = re.compile(r"\w+")
_REMEMBERED = 64  # lines of keywords


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a keyword.

    Attributes:
        keyword: the keyword as the caller wrote it.
        written: the form as it is written into a text.
        said: the pronunciation in Russian letters. It is the same text as `written`, except for words in Latin letters.
        sounds: the sounds of `said`, as `sounds_of` returns them.
    """

    keyword: str
    written: str
    said: str
    sounds: Sounds


def parts_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, in lower case, without punctuation and with «е» for «ё».

    The parts of a word with hyphens count as words. So spellings that differ only in capitals, punctuation or «ё» give
    the same result.
    """
    return tuple(_PART.findall(text.lower().replace("ё", "е")))


def split_line(line: str) -> list[str]:
    """Return the keywords in a text, without repetitions.

    The keywords are separated by commas, semicolons or line ends. If a text without these separators has more than
    three words, each word is a keyword.
    """
    found = [" ".join(one.split()) for one in _SEPARATORS.split(line)]
    if len(found) == 1 and len(found[0].split()) > MOST_WORDS:
        found = found[0].split()
    return list(dict.fromkeys(one for one in found if one))[:MOST_KEYWORDS]


class Keywords:
    """Keywords with an index for searching.

    Args:
        line: a text with keywords in the format of `split_line`.

    Attributes:
        spelt: the forms of the keywords; the keys of the dictionary are the parts of the forms (see `parts_of`).
            Recognised words that have the same parts as a form get the spelling of this form.
        longest: number of parts of the form with the most parts.
        forms: all forms with at least `LEAST_SOUNDS` sounds, sorted by their sounds.
    """

    def __init__(self, line: str) -> None:
        self.spelt: dict[tuple[str, ...], Form] = {}
        self.forms: list[Form] = []
        for keyword in split_line(line):
            for form in _forms(keyword):
                if parts := parts_of(form.written):
                    self.spelt.setdefault(parts, form)
                if len(form.sounds) >= LEAST_SOUNDS:
                    self.forms.append(form)
        self.forms.sort(key=lambda form: form.sounds)
        self.longest = max(map(len, self.spelt), default=0)
        rows = [profile(form.sounds) for form in self.forms]
        self._profiles = np.array(rows, np.int8).reshape(len(rows), N_CLASSES)
        self._lengths: npt.NDArray[np.int16] = self._profiles.sum(axis=1, dtype=np.int16)

    def near(self, sounds: Sounds, *, most: float) -> list[Form]:
        """Return the forms whose sounds may be similar to given sounds, sorted by the sounds of the forms.

        Args:
            sounds: the sounds of the recognised words.
            most: largest number of missing and superfluous sounds, divided by the number of sounds of the form. The
                sounds are counted by class, regardless of their order; see `profile`.
        """
        differing = np.abs(self._profiles - np.array(profile(sounds), np.int8)).sum(axis=1, dtype=np.int16)
        return [self.forms[number] for number in np.flatnonzero(differing <= most * self._lengths)]


@lru_cache(_REMEMBERED)
def keywords_of(line: str) -> Keywords:
    """Return the prepared keywords of a text; the last results are kept in a cache."""
    return Keywords(line)


def _forms(keyword: str) -> Iterator[Form]:
    words = keyword.split()
    if len(words) > MOST_WORDS or any(letter.isdigit() for letter in keyword):
        # A keyword of many words, or with digits, is found only by its spelling.
        yield Form(keyword, keyword, keyword, b"")
    elif LATIN.search(keyword):
        for read in product(*(readings(word) for word in words)):
            for said in forms(" ".join(read)):
                yield Form(keyword, keyword, said, sounds_of(parts_of(said)))
    else:
        for form in forms(keyword):
            yield Form(keyword, form, form, sounds_of(tuple(form.lower().replace("-", " ").split())))
