"""Texts of the bot in the language of the person, from the catalogue of messages."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from glas.domain.people import Locale
from glas.localisation import Catalogue, catalogue

Say: TypeAlias = Callable[..., str]


class Phrases:
    """The catalogues of all languages.

    For example, `phrases[locale]("balance", coins="1 монета", role="…")` returns the message `balance` in one language.
    """

    def __getitem__(self, locale: Locale) -> Catalogue:
        """Return the catalogue of one language; a call of the catalogue returns a message."""
        return catalogue(locale)


def coins(hundredths: int, locale: Locale) -> str:
    """Return an amount of coins with its noun, for example «12,5 монеты» or "12.5 coins"."""
    amount = Decimal(hundredths).scaleb(-2)
    whole = amount.to_integral_value()
    return catalogue(locale)("coins", amount=whole if amount == whole else amount.normalize())
