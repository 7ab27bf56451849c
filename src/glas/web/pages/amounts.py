"""Format amounts of coins for the web pages."""

from decimal import Decimal

from glas.localisation import catalogue


def coins(hundredths: int, language: str) -> str:
    """Return an amount of coins with its noun, for example «12,5 монеты» or "12.5 coins"."""
    amount = Decimal(hundredths).scaleb(-2)
    whole = amount.to_integral_value()
    return catalogue(language)("coins", amount=whole if amount == whole else amount.normalize())
