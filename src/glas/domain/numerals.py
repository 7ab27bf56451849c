"""Write Russian numbers in words, as RU-NORM v1 defines them.

The library num2words writes the numerals. This module chooses their gender and case, and writes leading zeros.
"""

from num2words import num2words

# A longer string of digits is the number of a telephone or a card, and is read digit by digit.
_LONGEST_CARDINAL_DIGITS = 12
# num2words has no name for 10^33 and above.
_MOST_DIGITS = 33

# Names of decimal places: one tenth (feminine nominative), many tenths (genitive plural).
_PLACES = (
    ("десятая", "десятых"),
    ("сотая", "сотых"),
    ("тысячная", "тысячных"),
    ("десятитысячная", "десятитысячных"),
    ("стотысячная", "стотысячных"),
    ("миллионная", "миллионных"),
)
MAX_DECIMAL_PLACES = len(_PLACES)

# The endings after the hyphen, as in «21-го», and the forms that they stand for. If an ending may stand for several
# forms, the most frequent form is used: «5-м» is read «пятом».
_ORDINAL_FORMS: dict[str, dict[str, str | bool]] = {
    "й": {},
    "ый": {},
    "ий": {},
    "ой": {},
    "я": {"gender": "f"},
    "ая": {"gender": "f"},
    "ья": {"gender": "f"},
    "е": {"gender": "n"},
    "ое": {"gender": "n"},
    "ье": {"gender": "n"},
    "го": {"case": "g"},
    "ого": {"case": "g"},
    "его": {"case": "g"},
    "му": {"case": "d"},
    "ому": {"case": "d"},
    "ему": {"case": "d"},
    "м": {"case": "p"},
    "ом": {"case": "p"},
    "ем": {"case": "p"},
    "ым": {"case": "i"},
    "им": {"case": "i"},
    "ю": {"gender": "f", "case": "a"},
    "ую": {"gender": "f", "case": "a"},
    "ые": {"plural": True},
    "х": {"plural": True, "case": "g"},
    "ых": {"plural": True, "case": "g"},
    "их": {"plural": True, "case": "g"},
    "ми": {"plural": True, "case": "i"},
    "ыми": {"plural": True, "case": "i"},
}
ORDINAL_ENDINGS = tuple(sorted(_ORDINAL_FORMS, key=len, reverse=True))


def cardinal(number: int) -> str:
    """Write a whole number in words: 1024 → «тысяча двадцать четыре».

    num2words begins this number with «одна тысяча». Speakers leave out the word «одна», so this function removes it.
    """
    return str(num2words(number, lang="ru")).removeprefix("одна ")


def feminine(number: int) -> str:
    """Write a whole number in words, in the form that stands before a feminine noun: 21 → «двадцать одна».

    The argument `gender="f"` of num2words is not used, because it also gives «одна миллион». Instead, this function
    changes only the last word.
    """
    *head, last = cardinal(number).split()
    return " ".join([*head, {"один": "одна", "два": "две"}.get(last, last)])


def integer(digits: str) -> str:
    """Write a string of digits in words.

    Leading zeros are written, too («007» → «ноль ноль семь»). Long strings are written digit by digit.
    """
    if len(digits) > _LONGEST_CARDINAL_DIGITS:
        return " ".join(cardinal(int(digit)) for digit in digits)
    significant = _without_leading_zeros(digits)
    zeros = ["ноль"] * (len(digits) - len(significant))
    return " ".join([*zeros, cardinal(int(significant))] if significant else zeros)


def decimal(whole: str, fraction: str) -> str:
    """Write a decimal fraction in words: 2,5 → «две целых пять десятых».

    `fraction` has at most `MAX_DECIMAL_PLACES` digits.
    If the whole part is too long to have a name, it is written digit by digit.
    """
    one, many = _PLACES[len(fraction) - 1]
    parts, significant = int(fraction), _without_leading_zeros(whole) or "0"
    units = feminine(int(significant)) if len(significant) <= _MOST_DIGITS else integer(significant)
    return " ".join(
        [
            units,
            "целая" if _is_one(last_digits(significant)) else "целых",
            feminine(parts),
            one if _is_one(parts) else many,
        ]
    )


def ordinal(number: int, ending: str) -> str:
    """Write an ordinal number with a given ending in words: 21 and «го» → «двадцать первого».

    Multiples of ten from 20 on with the ending «-е» are decades («90-е» → «девяностые»). Other numbers with «-е» are
    neuter («2-е» → «второе»).
    """
    form = dict(_ORDINAL_FORMS[ending])
    if ending == "е" and number >= 20 and number % 10 == 0:  # noqa: PLR2004  decades begin with the twenties
        form = {"plural": True}
    return str(num2words(number, lang="ru", to="ordinal", **form)).removeprefix("одна ")


def last_digits(digits: str) -> int:
    """Return the last two digits as a number; they determine the form of the noun that is counted.

    Only the last digits are converted, because Python refuses to convert a string of more than 4,300 digits.
    """
    return int(digits[-2:])


def count_form(number: int, one: str, few: str, many: str) -> str:
    """Choose the form of a noun that a number counts: 1 рубль, 2 рубля, 5 рублей, 11 рублей."""
    if _is_one(number):
        return one
    if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return few
    return many


def _without_leading_zeros(digits: str) -> str:
    """Remove the leading zeros from a string of digits of any script."""
    return digits.lstrip("".join({digit for digit in digits if int(digit) == 0}) or " ")


def _is_one(number: int) -> bool:
    return number % 10 == 1 and number % 100 != 11  # noqa: PLR2004  «одиннадцать» is not «один»
