"""Yield written Russian texts, from which the tokens of a vocabulary are chosen: words, names, numbers, whole lines.

No synthetic voice speaks these texts, and no model is trained on them. The words are from the Russian list of wordfreq
(data: CC BY-SA 4.0), which also contains foreign words that occur in Russian texts.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import wordfreq

from glas.training.texts.packages import read_russian_lines

# Words are used if they are at least one word in a million. 60,000 Russian words are so frequent. Ten times as many
# words would need only fifteen more Cyrillic tokens, half of them Ukrainian. Rarer words in Latin letters are mostly
# misspellings and names of foreign towns.
LEAST_SHARE = 1e-6
ENGLISH_WORDS = 1500
LONGEST_ABBREVIATION = 4

_RUSSIAN = re.compile(r"[а-яё-]+")
_LATIN = re.compile(r"[a-z]")
_ROMAN = {100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}
_MOST_ROMAN = 120
_YEARS = range(1700, 2051)
_UNITS = (
    "% ‰ ° °C ₽ $ € £ № § км м см мм кг г мг л мл ч мин с км/ч м² м³ кв.м руб. коп. тыс. млн млрд шт. ГБ МБ Гц Вт В",
    "GB MB TB Hz GHz px mm kg km",
)
_MARKS = (
    'Да. Да, да! Да? Да: да; да… Да... да.. «Да» «да», «Да!» «Да?» «Да». „Да“ “Да” "Да" "да", "Да!" "да". \'да\' ’да',
    "(да) (да), (да). (да)? да) да), да): - да — да – да, — да. — да! — да? — да... — да ?! !?",
    "!!! ??? ?? !! !.. ?.. :) ))",
    "да/да да\\да [да] {да} <да> да|да & + = * # @ _ ~ ^ | / 1+1=2 2*2 5-7 5–7 #да @да да_да да-да да'да д'а",
)


def written_lines(folder: Path | None = None) -> Iterator[str]:
    """Yield lines that together contain the usual words, numbers and punctuation marks of Russian texts.

    Args:
        folder: directory of unpacked Debian packages with Russian texts; see `packages`. If it is None, there are no
            lines from such packages.
    """
    yield from _word_lines()
    yield from _number_lines()
    yield from _spaced([*names(), *_UNITS, *_MARKS])
    if folder:
        yield from _spaced(read_russian_lines(folder))


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return names in Latin letters in their official spelling, from `names.txt`."""
    text = files("glas.training.texts").joinpath("names.txt").read_text(encoding="utf-8")
    return tuple(name for line in text.splitlines() if not line.startswith("#") for name in line.split())


def roman(number: int) -> str:
    """Write a number in Roman numerals."""
    text = ""
    for value, letters in _ROMAN.items():
        count, number = divmod(number, value)
        text += letters * count
    return text


def _word_lines() -> Iterator[str]:
    for word, share in wordfreq.get_frequency_dict("ru", "large").items():
        if share < LEAST_SHARE:
            continue
        if _RUSSIAN.fullmatch(word):
            yield from _spaced((word, word.capitalize(), word.upper()))
        elif _LATIN.search(word):
            yield from _spaced((word, word.capitalize()))
            if len(word) <= LONGEST_ABBREVIATION:
                yield f" {word.upper()}"
    for word in wordfreq.top_n_list("en", ENGLISH_WORDS):
        yield f" {word}"
        yield f" {word.capitalize()}"


def _number_lines() -> Iterator[str]:
    for number in (*range(1000), *_YEARS, *range(1000, 10_000, 100), *range(10_000, 100_000, 1000)):
        yield from _spaced((str(number), f"{number:02d}", f"{number}-й", f"{number}%"))
    yield from _spaced(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
    yield from _spaced(f"{day:02d}.{month:02d}.2026" for day in range(1, 32) for month in range(1, 13))
    yield from _spaced(f"{whole},{part}" for whole in range(100) for part in range(10))
    yield from _spaced(("1 000 000", "+7 900 000-00-00", "8 (800) 000 00 00", "1/2", "№1", "1000000"))
    yield from _spaced(roman(number) for number in range(1, _MOST_ROMAN))


def _spaced(texts: Iterable[str]) -> Iterator[str]:
    """Yield each text twice, without and with a space before it, because the tokens of both forms are different."""
    for text in texts:
        yield text
        yield f" {text}"
