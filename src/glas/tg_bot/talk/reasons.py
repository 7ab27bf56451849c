"""Explain to people why a recording got no text."""

from glas.domain.errors import GlasError
from glas.domain.people import Locale
from glas.localisation import catalogue


def reason(error: GlasError, locale: Locale, *, limit: int | None = None) -> str:
    """Return a sentence that explains an error. If `limit` is given, the sentence contains this exceeded limit."""
    return catalogue(locale).error(error.code, limit)
