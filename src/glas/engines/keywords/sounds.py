"""Compute how similar two Russian spellings sound.

This module converts letters into sounds, and computes a distance between sequences of sounds. The rules are those of
Russian phonetics that do not depend on stress. Consonants are voiceless at the end of a word and before voiceless
consonants, and voiced before voiced consonants. Double letters count as one letter. In some groups of consonants, one
consonant is silent. «тс» counts as «ц», «сч» as «щ». Without stress, «о» sounds like «а», and «е» like «и». Because the
stress is not known, these letters stay different sounds, but the distances «о»–«а» and «е»–«и» are small.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, product, takewhile
from typing import Final

_REMEMBERED = 8192

_GROUPS: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        ("[ьъ]", ""),
        ("[сзж]ч|щ", "щ"),
        ("[тд]ч", "ч"),
        ("[тд]с|[тд]ц", "ц"),
        ("([сз])[тд](?=[нл])", r"\1"),
        ("лнц", "нц"),
        ("вств", "ств"),
        ("[сз]ш", "ш"),
        ("[сз]ж", "ж"),
        ("чт", "шт"),
    )
)
_OF_THE_GENITIVE = re.compile("(?<=[ое])го$")
_DOUBLE = re.compile(r"(.)\1+")

_VOICELESS = dict(zip("бвгджз", "пфктшс", strict=True))
_VOICED = {voiceless: voiced for voiced, voiceless in _VOICELESS.items()}
_MAKES_VOICELESS = frozenset("пфктшсхцчщ")
_MAKES_VOICED = frozenset("бгджз")

_VOWELS = "аеёиоуыэюя"
_LETTERS = "абвгдеёжзийклмнопрстуфхцчшщыэюя"
_NUMBERS: Final = {letter: number for number, letter in enumerate(_LETTERS)}

# Costs in units of one replaced consonant.
_LOST_VOWEL, _LOST_CONSONANT, _LOST_Y = 0.6, 0.9, 0.4
_OTHER_VOWEL, _OTHER_CONSONANT, _OTHER_KIND = 0.6, 1.0, 1.3
_NEAR: Final = {
    0.1: ("эе", "ыи", "юу", "яа", "ёо"),
    0.2: ("ао", "еи", "ёе", "эи", "ые", "щш", "ыэ"),
    0.3: ("яе", "яи", "ёю", "йи", "бп", "вф", "гк", "дт", "жш", "зс", "чщ", "яо", "ёа"),
    0.5: ("оу", "цс", "гх", "кх", "мн", "чш", "чц", "чт", "цт", "жщ", "шс", "жз", "йе", "ву"),
    0.7: ("лр", "вб", "фп", "хф", "лв", "нл", "дг", "тк", "щс", "вл", "бм", "пт", "пк", "дз", "тс", "жд"),
}


def _substitutions() -> list[list[float]]:
    near = {frozenset(pair): cost for cost, pairs in _NEAR.items() for pair in pairs}

    def cost(one: str, other: str) -> float:
        if one == other:
            return 0.0
        n_vowels = (one in _VOWELS) + (other in _VOWELS)
        far = (_OTHER_CONSONANT, _OTHER_KIND, _OTHER_VOWEL)[n_vowels]
        return near.get(frozenset((one, other)), far)

    costs = [cost(one, other) for one, other in product(_LETTERS, _LETTERS)]
    return [costs[start : start + len(_LETTERS)] for start in range(0, len(costs), len(_LETTERS))]


_SUBSTITUTED: Final = _substitutions()
_LOST: Final = [
    _LOST_Y if letter == "й" else _LOST_VOWEL if letter in _VOWELS else _LOST_CONSONANT for letter in _LETTERS
]

_LONGER: Final = 3  # letters by which forms of one word mostly differ

Sounds = bytes
"""The sounds of a word, one byte for each sound: the index, in `_LETTERS`, of the letter that stands for the sound."""


@lru_cache(_REMEMBERED)
def sounds_of(words: tuple[str, ...]) -> Sounds:
    """Return the sounds of words that are spoken one after another.

    Args:
        words: Russian words in lower case; all other characters are ignored.
    """
    said = "".join(_said(word) for word in words)
    return bytes(_NUMBERS[letter] for letter in _DOUBLE.sub(r"\1", said) if letter in _NUMBERS)


def _said(word: str) -> str:
    said = _OF_THE_GENITIVE.sub("во", word)
    for pattern, replacement in _GROUPS:
        said = pattern.sub(replacement, said)
    letters = list(_DOUBLE.sub(r"\1", said))
    following = " "
    for place in range(len(letters) - 1, -1, -1):
        letter = letters[place]
        if following == " " or following in _MAKES_VOICELESS:
            letter = _VOICELESS.get(letter, letter)
        elif following in _MAKES_VOICED:
            letter = _VOICED.get(letter, letter)
        letters[place] = following = letter
    return "".join(letters)


def distance(one: Sounds, other: Sounds) -> float:
    """Compute the edit distance of two sequences of sounds; one replaced consonant counts as 1.

    Args:
        one: the sounds of the first words, as `sounds_of` returns them.
        other: the sounds of the second words.
    """
    row = _first_row(other)
    for letter in one:
        row = _next_row(row, letter, other)
    return row[-1]


def distances(many: Iterable[Sounds], heard: Sounds, *, most: float) -> Iterator[float | None]:
    """Yield, for each word, its distance from the sounds `heard`; None if the distance is too large.

    Args:
        many: sounds of the words. The words must be sorted by their sounds, so that a common beginning of several words
            is compared only once.
        heard: the sounds with which each word is compared.
        most: largest distance, divided by the number of sounds of the word.
    """
    rows, before = [_first_row(heard)], b""
    for word in many:
        n_shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, before, strict=False)))
        del rows[n_shared + 1 :]
        bound = most * (len(word) + _LONGER)
        while len(rows) <= len(word) and min(rows[-1]) <= bound:
            rows.append(_next_row(rows[-1], word[len(rows) - 1], heard))
        before = word[: len(rows) - 1]
        cost = rows[-1][-1]
        yield cost if len(rows) > len(word) and cost <= most * len(word) else None


def _first_row(other: Sounds) -> list[float]:
    return [0.0, *accumulate(_LOST[letter] for letter in other)]


def _next_row(row: Sequence[float], letter: int, other: Sounds) -> list[float]:
    """Return the next row of an edit-distance table.

    `letter` is the next speech sound of one word, and `other` are the speech sounds of the other word.
    """
    lost, costs = _LOST[letter], _SUBSTITUTED[letter]
    corner = row[0]
    left = corner + lost
    found = [left]
    for above, against in zip(row[1:], other, strict=True):
        best = corner + costs[against]
        best = min(best, above + lost)
        left += _LOST[against]
        left = min(left, best)
        found.append(left)
        corner = above
    return found


_CLASSES: Final = ("аоёя", "еиэый", "ую", "бп", "вф", "м", "дт", "зсц", "жшщч", "гкх", "лр", "н")
N_CLASSES: Final = len(_CLASSES)
_CLASS_OF: Final = [next(n for n, letters in enumerate(_CLASSES) if letter in letters) for letter in _LETTERS]


def profile(sounds: Sounds) -> Sequence[int]:
    """Count the sounds of each class, shape `(N_CLASSES,)`; words with very different counts do not sound similar."""
    counts = [0] * N_CLASSES
    for letter in sounds:
        counts[_CLASS_OF[letter]] += 1
    return counts
