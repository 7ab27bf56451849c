"""Explain to people why there is no text."""

from glas.domain.errors import GlasError
from glas.domain.people import Locale
from glas.localisation import catalogue


def reason(error: GlasError, locale: Locale, *, limit: int | None = None) -> str:
    """Return a sentence that explains an error; if the exceeded limit is given, the sentence contains the limit."""
    return catalogue(locale).error(error.code, limit)
