"""Format the words of a vocabulary as text, and parse words that a person typed."""

import re
from collections.abc import Sequence

from glas.domain.numerals import count_form
from glas.domain.people import Locale

_MOST_LISTED = 5
_BETWEEN = re.compile(r"[,;\n]")


def listed(words: Sequence[str]) -> str:
    """Return a list of words as text: the first words, and then `…` if there are more."""
    return ", ".join(words[:_MOST_LISTED]) + ("…" if len(words) > _MOST_LISTED else "")


def counted(n_words: int, locale: Locale) -> str:
    """Return a number of words with its noun, for example "3 words"."""
    if locale is Locale.EN:
        return f"{n_words} {'word' if n_words == 1 else 'words'}"
    return f"{n_words} {count_form(n_words, 'слово', 'слова', 'слов')}"


def typed(text: str) -> list[str]:
    """Return the words and phrases of a message, which are separated by commas, semicolons and ends of lines."""
    return [word for part in _BETWEEN.split(text) if (word := part.strip())]
