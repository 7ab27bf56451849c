"""Write spoken numbers in digits (inverse text normalisation).

A number is written in digits only if RU-NORM turns the digits back into the same words. So «пять» may be written as 5,
but «пяти» is never changed. Error rates are the same with and without digits. These numbers are written in digits:

    numbers        «семьсот сорок два» 742; below ten only before a noun that is counted: «пять минут» 5 минут
    round numbers  «двадцать пять тысяч» 25 тысяч
    time           «в семь тридцать» в 7:30, «к девяти» is not changed
    days, years    «двадцать пятого» 25-го, «пятого мая» 5-го мая, «в две тысячи двадцать пятом году» в 2025-м году
    telephone      «восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь» 8-916-123-45-67

No maintained library writes Russian numbers in digits without a neural network or a finite-state toolkit.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from glas.domain import numerals
from glas.domain.text import normalise

_ONES: Final = {"один": 1, "два": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9}
_BEFORE_THOUSANDS: Final = {"одна": 1, "две": 2}
_TEENS: Final = {numerals.cardinal(number): number for number in range(10, 20)}
_TENS: Final = {numerals.cardinal(number): number for number in range(20, 100, 10)}
_HUNDREDS: Final = {numerals.cardinal(number): number for number in range(100, 1000, 100)}
_THOUSANDS: Final = ("тысяча", "тысячи", "тысяч")
_ZERO: Final = "ноль"

_WORD = re.compile(r"(?P<core>[^\W\d_]+)(?P<marks>[.,!?…:;)»]*)")
_COUNTED = re.compile(
    r"рубл|копе[ей]|доллар|евро|процент|градус|час(?:а|ов)?$|минут|секунд|дн(?:я|ей)$|недел|месяц|лет$|год(?:а)?$"
    r"|метр|километр|сантиметр|килограмм|кило$|грамм|литр|штук|человек|миллион|миллиард"
)
_TIME_WORDS: Final = frozenset(("в", "к", "на", "до", "после", "около", "с"))
_AFTER_A_DAY = re.compile("(?:январ|феврал|апрел|июн|июл|сентябр|октябр|ноябр|декабр)я|марта|мая|августа|числа")
# Numerals in any form. A number beside one of these words is only a part of a longer number: «двадцать пяти», «одна
# тысяча».
_NUMERAL = re.compile(
    r"одн(?:а|о|и|у|ого|ой|ому|им|ом)|дв(?:а|е|ух|ум|умя|ое|адцат\w+|енадцат\w+|ест\w+|ухсот\w*)|втор\w{2,3}"
    r"|тр(?:и|[её]х|[её]м|емя|ое|идцат\w+|инадцат\w+|иста|[её]хсот\w*|етий|еть\w+)|четыр\w+|четв[её]рт\w+"
    r"|пят(?:и|ь\w*|ый|ая|ое|ого|ой|ому|ым|ом|ую|ые|ых|надцат\w+|идесят\w+)|шест(?:и|ь\w*|[аоуы]\w{1,2}|надцат\w+)"
    r"|сем(?:и|ь|ью|ьсот\w*|ьдесят\w*|надцат\w+|идесят\w+)|седьм\w+|вос(?:ем|ьм)\w*|девят\w+|девян\w+|десят\w+"
    r"|одиннадцат\w+|сорок\w*|перв\w{2,3}|ст[ао]|сот(?:ый|ая|ое|ого|ой|ому|ым|ом|ую|ых|ен)|тысяч\w*|цел(?:ая|ых)"
    r"|полтор\w+"
)
_YEARS: Final = {"год": "й", "года": "го", "году": "м"}
# A Russian telephone number is said in groups of digits. These are the lengths of the groups, with and without the
# leading 8 or 7.
_TELEPHONES: Final = ((1, 3, 3, 2, 2), (3, 3, 2, 2))
_LAST_HOUR, _LAST_MINUTE, _LAST_DAY = 24, 59, 31
_LEAST_ALONE = 10
_LEAST_ROUND = 10_000


class Piece(NamedTuple):
    """The text that replaces the words from `start` up to, but not including, `end`."""

    text: str
    start: int
    end: int


class _Number(NamedTuple):
    value: int
    start: int
    end: int


def in_digits(words: Sequence[str]) -> list[Piece]:
    """Write the numbers among `words` in digits; return pieces, in order, that together replace all words."""
    pieces = list(_Line(words).pieces())
    written = " ".join(piece.text for piece in pieces)
    if normalise(written) != normalise(" ".join(words)):
        # Two separate numbers can be read as one («2 300»).
        return [Piece(word, at, at + 1) for at, word in enumerate(words)]
    return pieces


class _Line:
    """The words of a text, each divided into the word itself and the punctuation after it."""

    def __init__(self, words: Sequence[str]) -> None:
        found = [_WORD.fullmatch(word) for word in words]
        self._words = words
        self._cores = [one["core"].lower() if one else "" for one in found]
        self._marks = [one["marks"] if one else "" for one in found]

    def pieces(self) -> Iterator[Piece]:
        at = 0
        while at < len(self._words):
            piece = self._ordinal(at)
            if piece is not None:
                yield piece
                at = piece.end
                continue
            run = self._run(at)
            if not run:
                yield Piece(self._words[at], at, at + 1)
                at += 1
                continue
            yield from self._written(run)
            at = run[-1].end

    def _written(self, run: list[_Number]) -> Iterator[Piece]:
        text = self._telephone(run) or self._time(run)
        if text is not None:
            yield self._piece(text, run[0].start, run[-1].end)
            return
        if len(run) == 1 and self._stands_alone(run[0]):
            yield from self._alone(run[0])
            return
        # Successive numbers may belong together in a way that cannot be known.
        yield from (Piece(self._words[at], at, at + 1) for at in range(run[0].start, run[-1].end))

    def _stands_alone(self, number: _Number) -> bool:
        if self._has_numerals_beside(number):
            return False
        if self._is_counted(number.end):
            return True
        is_figure_of_speech = number.end == number.start + 1 and self._core(number.start) in _THOUSANDS
        return number.value >= _LEAST_ALONE and not is_figure_of_speech

    def _has_numerals_beside(self, number: _Number) -> bool:
        goes_on = not self._marks[number.end - 1] and _NUMERAL.fullmatch(self._core(number.end))
        is_end = number.start > 0 and not self._marks[number.start - 1]
        return bool(goes_on or (is_end and _NUMERAL.fullmatch(self._core(number.start - 1))))

    def _alone(self, number: _Number) -> Iterator[Piece]:
        last = number.end - 1
        counted = number.value // 1000
        is_round = number.value >= _LEAST_ROUND and number.value % 1000 == 0 and self._cores[last] in _THOUSANDS
        if is_round and numerals.cardinal(counted) == " ".join(self._cores[number.start : last]):
            yield Piece(str(counted), number.start, last)
            yield Piece(self._words[last], last, number.end)
        else:
            yield self._piece(str(number.value), number.start, number.end)

    def _piece(self, text: str, start: int, end: int) -> Piece:
        return Piece(text + self._marks[end - 1], start, end)

    def _core(self, at: int) -> str:
        return self._cores[at] if 0 <= at < len(self._cores) else ""

    def _is_counted(self, at: int) -> bool:
        return not self._marks[at - 1] and bool(_COUNTED.match(self._core(at)))

    def _telephone(self, run: list[_Number]) -> str | None:
        groups = [str(number.value) for number in run]
        return "-".join(groups) if tuple(map(len, groups)) in _TELEPHONES else None

    def _time(self, run: list[_Number]) -> str | None:
        values = [number.value for number in run]
        start, end = run[0].start, run[-1].end
        if self._core(start - 1) not in _TIME_WORDS or self._is_counted(end) or values[0] > _LAST_HOUR:
            return None
        # «минут на двадцать тридцать» is a duration, not a time of day.
        if _COUNTED.match(self._core(start - 2)):
            return None
        match values[1:]:
            case [minute] if _LEAST_ALONE <= minute <= _LAST_MINUTE:
                return f"{values[0]}:{minute}"
            case [0, minute] if minute < _LEAST_ALONE:
                return f"{values[0]}:0{minute}"
        return None

    def _ordinal(self, at: int) -> Piece | None:
        """Return a date that begins at the word `at`; None if no date begins there.

        An ordinal is a date if a month follows it, if it consists of several words and can be a day, or if it can be a
        year and «год» follows it.
        """
        longest = 5
        for end in range(min(at + longest, len(self._cores)), at, -1):
            if any(self._marks[at : end - 1]):
                continue
            said, after = " ".join(self._cores[at:end]).replace("ё", "е"), self._core(end)
            if said in _days() and (_AFTER_A_DAY.fullmatch(after) or end - at > 1):
                return self._piece(f"{_days()[said]}-го", at, end)
            if after in _YEARS and said in _years(_YEARS[after]):
                return self._piece(f"{_years(_YEARS[after])[said]}-{_YEARS[after]}", at, end)
        return None

    def _run(self, at: int) -> list[_Number]:
        """Return the numbers that begin at the word `at` and follow each other without punctuation in between."""
        run: list[_Number] = []
        while (number := self._number(at)) is not None:
            run.append(number)
            at = number.end
            if self._marks[at - 1]:
                break
        return run

    def _number(self, start: int) -> _Number | None:
        """Return the number that begins at the word `start`.

        Return None if no number begins there, or if RU-NORM would turn its digits into other words than those that were
        said.
        """
        if self._core(start) == _ZERO:
            return _Number(0, start, start + 1)
        thousands: int | None = None
        below, lowest, at = 0, 1000, start
        while at < len(self._cores):
            core = self._cores[at]
            step, size = _step(core)
            if size and size < lowest:
                below, lowest = below + step, 1 if core in _TEENS else size
            elif core in _THOUSANDS and thousands is None:
                thousands, below, lowest = (below or 1) * 1000, 0, 1000
            else:
                break
            at += 1
            if self._marks[at - 1]:
                break
        value = (thousands or 0) + below
        if at == start or numerals.cardinal(value) != " ".join(self._cores[start:at]):
            return None
        return _Number(value, start, at)


def _step(core: str) -> tuple[int, int]:
    """Return the value of a numeral, and its place in a number below a thousand: 100, 10 or 1.

    For a word that is not such a numeral, return two zeros.
    """
    if core in _HUNDREDS:
        return _HUNDREDS[core], 100
    if core in _TENS:
        return _TENS[core], 10
    if core in _TEENS:
        return _TEENS[core], 10
    one = _ONES.get(core) or _BEFORE_THOUSANDS.get(core)
    return (one, 1) if one else (0, 0)


@cache
def _days() -> dict[str, int]:
    return {numerals.ordinal(day, "го").replace("ё", "е"): day for day in range(1, _LAST_DAY + 1)}


@cache
def _years(ending: str) -> dict[str, int]:
    known = [*range(1, 100), *range(1900, 2100)]
    return {numerals.ordinal(year, ending).replace("ё", "е"): year for year in known}
