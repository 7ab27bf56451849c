"""Find out by simple rules how Russians pronounce words that are written in Latin letters.

The pronunciation is written in Russian letters. Abbreviations are read letter by letter.
"""

import re
from typing import Final

LATIN: Final = re.compile("[a-z]", re.IGNORECASE)
_CAPITALS: Final = re.compile("[A-Z]{2,5}")

_RULES: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        ("tch|ch", "ч"),
        ("sh|sch", "ш"),
        ("th", "т"),
        ("ph", "ф"),
        ("ck", "к"),
        ("qu", "кв"),
        ("wh", "в"),
        ("kn(?=[a-z])", "н"),
        ("ee|ea", "и"),
        ("oo|ou", "у"),
        ("igh", "ай"),
        ("ay|ai", "эй"),
        ("ew", "ью"),
        ("tion", "шн"),
        ("(?<=[bcdfghklmnpqrstvwxz])e$", ""),
        ("c(?=[eiy])", "с"),
        ("g(?=[eiy])", "дж"),
        ("(?<=[aeiou])y|^y", "й"),
        ("^e", "э"),
        ("x", "кс"),
        ("j", "дж"),
    )
)
_LETTERS: Final = str.maketrans("abcdefghiklmnopqrstuvwyz", "абкдефгхиклмнопкрстуввиз")
_NAMES: Final = (
    "эй би си ди и эф джи эйч ай джей кей эл эм эн оу пи кью ар эс ти ю ви даблю экс вай зет",
    "а бэ цэ дэ е эф гэ аш и йот ка эл эм эн о пэ ку эр эс тэ у вэ даблю икс игрек зэт",
)
"""Names of the letters, as they are said in English and in Russian abbreviations."""


def readings(word: str) -> tuple[str, ...]:
    """Return the pronunciations of a word, in Russian letters and in lower case.

    If the word has no Latin letter, return only the word itself.
    """
    if not LATIN.search(word):
        return (word.lower(),)
    if _CAPITALS.fullmatch(word):
        named = ("".join(names.split()[ord(letter) - ord("A")] for letter in word) for names in _NAMES)
        return tuple(dict.fromkeys((*named, _read(word))))
    return (_read(word),)


def _read(word: str) -> str:
    said = word.lower()
    for pattern, replacement in _RULES:
        said = pattern.sub(replacement, said)
    return said.translate(_LETTERS)
