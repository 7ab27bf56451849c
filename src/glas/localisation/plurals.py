"""Plural categories and formats of numbers, by the rules of Unicode CLDR for Russian and English."""

from decimal import Decimal
from typing import Final, TypeAlias

Number: TypeAlias = int | Decimal

_FEW: Final = (2, 3, 4)
_FEW_EXCEPTIONS: Final = (12, 13, 14)
_ELEVEN: Final = 11


def plural_category(language: str, number: Number) -> str:
    """Return the plural category of a number as it is written: `one`, `few`, `many` or `other`.

    A number with decimals is `other` in both languages: «1,5 монеты», "1.0 coins".
    """
    if isinstance(number, Decimal) and number != number.to_integral_value():
        return "other"
    if isinstance(number, Decimal) and int(number.as_tuple().exponent) < 0:
        return "other"
    whole = abs(int(number))
    if language == "en":
        return "one" if whole == 1 else "other"
    if whole % 10 == 1 and whole % 100 != _ELEVEN:
        return "one"
    return "few" if whole % 10 in _FEW and whole % 100 not in _FEW_EXCEPTIONS else "many"


def written(language: str, number: Number) -> str:
    """Format a number for people who read the language.

    Russian has a decimal comma. In both languages, a negative number begins with a minus sign, and not with a hyphen.
    """
    digits = f"{abs(number):f}" if isinstance(number, Decimal) else str(abs(number))
    sign = "−" if number < 0 else ""
    return sign + (digits.replace(".", ",") if language == "ru" else digits)
