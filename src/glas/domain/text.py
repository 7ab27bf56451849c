"""RU-NORM v1: the normalisation of Russian text before words are compared and counted.

Two texts that people may write for the same speech should become the same string. The steps, in this order:

1. Invisible format characters (soft hyphen, zero-width joiner) are removed; NFKC is applied; letters become lower case.
   Combining marks are *kept*: in decomposed text «й» is «и» with a breve. A normaliser that drops marks hides real
   errors; for example, Whisper's basic normaliser makes «мои» of «мой». There is one exception: the stress accent on a
   Cyrillic vowel («за́мок») is removed, because it is not a part of the letter.
2. «№» becomes «номер»; «7:30» becomes «семь тридцать»; «21-го» becomes «двадцать первого»; «-5» becomes «минус пять»,
   and «+7» becomes «плюс семь». Thousand groups (1 to 3 digits, followed by groups of exactly 3 digits) are joined: «1
   000» becomes 1000.
3. Numbers become words in the nominative, masculine. For example, «21 мая» becomes «двадцать один мая», because the
   case of a number without an ending is not known. A single comma or point between digits is a decimal sign («2,5»
   becomes «две целых пять десятых»). If there are several, each group of digits is a separate number («21.05.2024» is
   three numbers). The signs % ₽ $ € ° after a number become words in the form that the number requires: «5 %» becomes
   «пять процентов».
4. «ё» becomes «е». Everything that is neither letter nor mark becomes a space, so «по-моему» is two words. Several
   spaces become one.

Abbreviations («руб.», «кг»), Latin words and the case of numerals stay unchanged. The normalisation of a normalised
text changes nothing. Error rates that were measured with different versions of RU-NORM must not be compared. Therefore
`RU_NORM_VERSION` is stored with every measurement.
"""

import re
import unicodedata
from difflib import SequenceMatcher
from typing import Final

from glas.domain import numerals

RU_NORM_VERSION: Final = 1

_STRESSED_VOWEL = re.compile("([аеёиоуыэюя])[\u0300\u0301]")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])")
_ORDINAL = re.compile(rf"(?<!\d)(?<!\d[.,])(\d{{1,9}})[-\u2010]({'|'.join(numerals.ORDINAL_ENDINGS)})(?!\w)")
# A telephone number must not be read as thousand groups. It has a plus before it, or a hyphen and digits after it.
_THOUSANDS = re.compile(r"(?<![\d+.,-])\d{1,3}(?: \d{3})+(?!\d|[-\u2010-\u2013]\d)")
_MINUS = re.compile(r"(?:(?<=[\s(])|^)[-\u2212](?=\d)")
_PLUS = re.compile(r"\+\s?(?=\d)")
_LEADING_SIGN = re.compile(r"(?<!\d)([₽$€])(\d+(?:[.,]\d+)?)")
_COUNTED = re.compile(
    rf"(?<!\d)(?<!\d[.,])(\d+)[.,](\d{{1,{numerals.MAX_DECIMAL_PLACES}}})(?![.,]?\d)\s?([%₽$€]|°(?:\s?[cс]\b)?)?"
    r"|(\d+)(?:\s?([%₽$€]|°(?:\s?[cс]\b)?))?"
)
_LONE_SIGN = re.compile(r"[%₽$€°]")

# For each sign: its word after one, after few (also after a decimal fraction), and after many.
_SIGNS: Final = {
    "%": ("процент", "процента", "процентов"),
    "₽": ("рубль", "рубля", "рублей"),
    "$": ("доллар", "доллара", "долларов"),
    "€": ("евро", "евро", "евро"),
    "°": ("градус", "градуса", "градусов"),
}


def normalise(text: str) -> str:
    """Apply RU-NORM v1.

    Args:
        text: any text.

    Returns:
        Lower-case words separated by single spaces, without «ё», digits or punctuation; empty if there is no word.
    """
    folded = _STRESSED_VOWEL.sub(r"\1", _fold(text))
    spoken = _say_numbers(folded.replace("№", " номер "))
    return " ".join(_letters_only(unicodedata.normalize("NFKC", spoken.replace("ё", "е"))).split())


def _fold(text: str) -> str:
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    # NFKC would make "No" of «№», two Latin letters that nobody said.
    parts = (unicodedata.normalize("NFKC", part).lower() for part in visible.split("№"))
    # Lower-casing can leave a sequence that composes (capital dotted I), hence the second pass.
    return unicodedata.normalize("NFKC", "\0".join(parts)).replace("\0", "№")


def _say_numbers(text: str) -> str:
    text = re.sub(r"[^\S\n]", " ", text)
    text = _TIME.sub(_say_time, text)
    text = _ORDINAL.sub(lambda found: f" {numerals.ordinal(int(found[1]), found[2])} ", text)
    text = _THOUSANDS.sub(lambda found: found[0].replace(" ", ""), text)
    text = _PLUS.sub(" плюс ", _MINUS.sub(" минус ", text))
    text = _COUNTED.sub(_say_counted, _LEADING_SIGN.sub(r"\2\1", text))
    return _LONE_SIGN.sub(lambda found: f" {_SIGNS[found[0]][2]} ", text)


def _say_time(found: re.Match[str]) -> str:
    hours, *rest = (part for part in found.groups() if part is not None)
    return " ".join(["", numerals.cardinal(int(hours)), *map(numerals.integer, rest), ""])


def _say_counted(found: re.Match[str]) -> str:
    whole, fraction, decimal_sign, digits, sign = found.groups()
    if digits is None:
        return f" {numerals.decimal(whole, fraction)} {_say_sign(decimal_sign, count=None)} "
    return f" {numerals.integer(digits)} {_say_sign(sign, count=numerals.last_digits(digits))} "


def _say_sign(sign: str | None, *, count: int | None) -> str:
    if sign is None:
        return ""
    one, few, many = _SIGNS[sign[0]]
    noun = few if count is None else numerals.count_form(count, one, few, many)
    return noun if len(sign) == 1 else f"{noun} цельсия"


def _letters_only(text: str) -> str:
    kept: list[str] = []
    for character in text:
        belongs_to_a_letter = _is_mark(character) and kept and kept[-1] != " "
        kept.append(character if character.isalnum() or belongs_to_a_letter else " ")
    return "".join(kept)


def _is_mark(character: str) -> bool:
    """Return whether a character is a combining mark of a letter.

    Variation selectors are not such marks, because they belong to emoji.
    """
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return unicodedata.category(character) in ("Mn", "Mc") and not is_selector


def laid_into(heard: str, said: str) -> tuple[str, int]:
    """Replace those words of a recognised text that a correction changes; keep the spelling of all other words.

    An engine then computes how probable the new text and the recognised text are for the sound. For an engine, the
    capitals and punctuation that a person writes are less probable than those of the recognised text. So the two texts
    must differ only in the changed words.

    Returns:
        The new text, and the number of changed words.
    """
    old = heard.split()
    new = [word for word in said.split() if normalise(word)]
    matcher = SequenceMatcher(
        None, [normalise(word) for word in old], [normalise(word) for word in new], autojunk=False
    )
    words, n_changed = [], 0
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        words += old[old_start:old_end] if kind == "equal" else new[new_start:new_end]
        n_changed += 0 if kind == "equal" else max(old_end - old_start, new_end - new_start)
    return " ".join(words), n_changed
