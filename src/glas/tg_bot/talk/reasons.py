"""Explain to people why there is no text."""

from glas.domain.errors import GlasError
from glas.domain.people import Locale
from glas.localisation import catalogue


def reason(error: GlasError, locale: Locale, *, limit: int | None = None) -> str:
    """Return a sentence for an error; if the exceeded limit is known, the sentence contains it."""
    return catalogue(locale).error(error.code, limit)
