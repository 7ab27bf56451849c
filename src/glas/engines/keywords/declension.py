"""List the declined forms of a Russian name or term, to find the name in a sentence.

The forms are derived from the ending by simple rules, so some of them are wrong. Wrong forms cause few errors, because
a form is written only if similar words were recognised and the engine finds the form probable enough.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

CASES: Final = ("nominative", "genitive", "dative", "accusative", "instrumental", "prepositional")

_HUSHES = "жшчщц"
_VELARS = "гкх"


# Each line has the ending of the nominative, how many letters are removed, and the endings of the other five cases. A
# slash separates forms that both occur; a hyphen means no ending. Plurals follow after a bar. All matching lines are
# used, because «Евгений» has other forms than «Нижний».
_TABLE: Final = (
    ("[кгх]ий", 2, "ого ому ого/ий им ом | ие их им ими их"),
    ("[^кгх]ий", 2, "ия ию ия/ий ием ии/ие | ии иев иям иями иях"),
    ("ний", 2, "его ему его/ий им ем"),
    ("ый", 2, "ого ому ого/ый ым ом | ые ых ым ыми ых"),
    ("ой", 2, "ого ому ого/ой ым ом"),
    ("[аеоуюяэ]й", 1, "я ю я/й ем е | и ев ям ями ях"),
    ("ая", 2, "ой ой ую ой ой | ые ых ым ыми ых"),
    ("яя", 2, "ей ей юю ей ей"),
    ("ия", 1, "и и ю ей и | и й ям ями ях"),
    ("(ов|ев|ёв|ин|ын)а", 1, "ой ой у ой ой"),
    ("[гкх]а", 1, "и е у ой е | и - ам ами ах"),
    ("[жшчщ]а", 1, "и е у ей/ой е | и - ам ами ах"),
    ("ца", 1, "ы е у ей/ой е | ы - ам ами ах"),
    ("[^гкхжшчщц]а", 1, "ы е у ой е | ы - ам ами ах"),
    ("[^аи]я", 1, "и е ю ей е | и ь ям ями ях"),
    ("ь", 1, "я ю я/ь ем е | и ей ям ями ях"),
    ("ь", 1, "и и ь ью и"),
    ("(ов|ев|ёв|ин|ын)", 0, "а у а/- ым е"),
    ("ец", 2, "ца цу ца/ец цем/цом це | цы цев цам цами цах"),
    ("[аеиоуыя][нмлр]ец", 2, "ьца ьцу ьца/ец ьцем/ьцом ьце"),
    ("ок", 2, "ка ку ка/ок ком ке | ки ков кам ками ках"),
    ("[гкх]", 0, "а у а/- ом е | и ов ам ами ах"),
    ("(?!.*ец$).*[жшчщц]", 0, "а у а/- ем/ом е | и/ы ей/ев ам ами ах"),
    ("(?!.*ец$).*[бвдзлмнпрстф]", 0, "а у а/- ом е | ы ов ам ами ах"),
    ("ое", 2, "ого ому ое ым ом"),
    ("ие", 1, "я ю е ем и"),
    ("о", 1, "а у о ом е"),
    ("[^ои]е", 1, "а/я у/ю е ем е"),
    ("[жшчщ]и", 1, "-/ей ам и ами ах"),
    ("[гкх]и", 1, "-/ов ам и ами ах"),
    ("[^оеё]ки", 2, "ок кам ки ками ках"),
    ("[лнрст]и", 1, "-/ей ям и ями ях"),
    ("[^ое]ы", 1, "-/ов ам ы ами ах"),
    ("ые", 2, "ых ым ые ыми ых"),
)
_ROWS: Final = tuple((re.compile(f".*{ending}"), cut, endings) for ending, cut, endings in _TABLE)
_OF_SURNAMES: Final = tuple(row[0] for row in _ROWS if "ёв" in row[0].pattern)
_RUSSIAN: Final = re.compile("[а-яё]+")
_MOST_FORMS = 48


def forms(keyword: str) -> list[str]:
    """List the keyword and its other forms, each once, with the same capitals as the keyword.

    If the keyword has several words, the list contains forms in which all words are in the same case, and forms in
    which only the last word is declined. Of a word with hyphens, only the last part is declined.
    """
    words = keyword.split()
    found = dict.fromkeys([keyword])
    by_case = [_by_case(word) for word in words]
    for case in range(len(CASES)):
        for combination in product(*(cases[case] for cases in by_case)):
            found[" ".join(combination)] = None
    for last in dict.fromkeys(form for case in by_case[-1] for form in case) if len(words) > 1 else ():
        found[" ".join([*words[:-1], last])] = None
    if len(words) == 1:
        found |= dict.fromkeys(_plurals(keyword))
    return list(found)[:_MOST_FORMS]


def _by_case(word: str) -> list[list[str]]:
    """Return the forms of one word in each of `CASES`."""
    found: list[list[str]] = [[word], *([] for _ in CASES[1:])]
    for stem, endings in _declined(word):
        for case, ending in zip(found[1:], endings.partition("|")[0].split(), strict=True):
            case += [stem + one.strip("-") for one in ending.split("/")]
    return [list(dict.fromkeys(case)) or [word] for case in found]


def _plurals(word: str) -> Iterator[str]:
    for stem, endings in _declined(word):
        for ending in endings.partition("|")[2].split():
            yield from (stem + one.strip("-") for one in ending.split("/"))


def _declined(word: str) -> Iterator[tuple[str, str]]:
    last: Sequence[str] = re.split("[-‐]", word)
    if not _RUSSIAN.fullmatch(last[-1].lower()) or (word.isupper() and len(word) > 1):
        return
    for pattern, cut, endings in _ROWS:
        if pattern.fullmatch(word.lower()) and (word[0].isupper() or pattern not in _OF_SURNAMES):
            yield word[: len(word) - cut], endings
