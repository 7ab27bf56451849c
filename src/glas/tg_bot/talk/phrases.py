"""Texts of the bot in the language of the person, from the catalogue of messages."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from glas.domain.people import Locale
from glas.localisation import Catalogue, catalogue

Say: TypeAlias = Callable[..., str]


class Phrases:
    """The catalogues of all languages; `phrases[locale]("balance", coins="1 монета", role="…")` returns a message."""

    def __getitem__(self, locale: Locale) -> Catalogue:
        """Return the catalogue of one language, which returns messages when it is called."""
        return catalogue(locale)


def coins(hundredths: int, locale: Locale) -> str:
    """Return an amount with its noun: «12,5 монеты», "12.5 coins"."""
    amount = Decimal(hundredths).scaleb(-2)
    whole = amount.to_integral_value()
    return catalogue(locale)("coins", amount=whole if amount == whole else amount.normalize())
