"""Choose the words of a correction that are added to a person's vocabulary, and the spelling of these words.

Here, a word of a correction counts as a *name* if it has Latin letters, a capital inside a sentence, or more than one
capital. A name is added to the vocabulary with its first correction. Any other word may be an everyday word, so it is
added only after the same person wrote it in corrections of two messages. A list of frequent words would not show
reliably which words are everyday words. Of the words in everyday phrases, a fifth is not among the 10,000 most frequent
forms of Russian words, and a tenth is not among the 20,000 most frequent forms.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from itertools import islice
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.text import normalise

MESSAGES_OF_A_WORD: Final = 2
"""A word that is not a name is added to the vocabulary after a person wrote it in corrections of so many messages."""

MOST_CHARS: Final = 60
MOST_OF_MESSAGE: Final = 20
_MOST_CANDIDATES: Final = 200
_MOST_WORDS_OF_PHRASE: Final = 4
_LEAST_LETTERS, _LEAST_LETTERS_OF_NAME = 4, 2
_LIKE: Final = 0.5
"""Least `SequenceMatcher.ratio` of two similar words: a word, and the words that were recognised in its place.

Examples: «Айгуль» and «а и гуль» have the ratio 1.0, «Айгуль» and «Гуля» 0.6, «кубернетес» and «губернатор» 0.6,
«суббота» and «пятница» 0.3.
"""
_REACH: Final = 2
_LONGEST_RUN: Final = 3

_EDGES = re.compile(r"^\W+|[^\w+#]+$")
_WORD = re.compile(r"[^\W\d_][\w'’.&+#-]*")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_POLITE = re.compile(r"вы|вас|вам|вами|ваш\w{0,3}")
_SENTENCE_ENDS = (".", "!", "?", "…")
_CLOSING = "\"'»”’)]"


class VocabularyWord(BaseModel):
    """A word of a person's vocabulary, as it is shown to the person."""

    model_config = ConfigDict(frozen=True)

    id: int = Field(description="Number of the word in the vocabulary. The word can be removed with this number.")
    word: str
    n_messages: int = Field(description="Number of messages in which the person corrected a text to this word.")
    is_added: bool = Field(description="Whether the person added the word to the vocabulary by hand.")
    is_used: bool = Field(
        description="Whether the word is used as a keyword for the person's recordings. It is used if it is a "
        "name, if the person added it by hand, or if the person corrected it in at least two messages."
    )
    creation_datetime: datetime = Field(
        description="Time at which the word was last added by hand or used in a correction."
    )


class PutRight(NamedTuple):
    """A word with which a correction replaces a wrong word.

    Attributes:
        word: the spelling in the correction, without punctuation around the word.
        normalised: the form of the word under RU-NORM, which is the same for different capitals and punctuation.
        is_name: whether the spelling shows that the word is not an everyday word.
    """

    word: str
    normalised: str
    is_name: bool


class _Token(NamedTuple):
    text: str
    key: str
    begins_sentence: bool


def words_put_right(heard: str, said: str) -> tuple[PutRight, ...]:
    """Find the words with which a correction replaces similar recognised words.

    The result contains no words that occur elsewhere in the recognised text, no words that the correction only adds, no
    numbers, and no addresses.

    Args:
        heard: the recognised text.
        said: the words of the correction.

    Returns:
        At most `MOST_OF_MESSAGE` different words; names come first.
    """
    old = [key for word in heard.split() if (key := _key(word))]
    new = list(_tokens(said))
    known, tells = set(old), _Telling(said)
    found: dict[str, PutRight] = {}
    # The option `autojunk` is on by default and saves time for long texts: very frequent words are not searched for.
    matcher = SequenceMatcher(None, old, [token.key for token in new])
    for token, replaced in islice(_replaced(old, new, matcher), _MOST_CANDIDATES):
        word = spelled(token.text)
        if word is None or token.key in known or not _is_like(token.key, replaced):
            continue
        is_name = tells.is_name(word, begins_sentence=token.begins_sentence)
        if _n_letters(word) >= (_LEAST_LETTERS_OF_NAME if is_name else _LEAST_LETTERS):
            found.setdefault(normalise(word), PutRight(word, normalise(word), is_name))
    return tuple(sorted(found.values(), key=lambda one: not one.is_name)[:MOST_OF_MESSAGE])


def spelled(text: str) -> str | None:
    """Return a word or short phrase without punctuation around it.

    If the text has no letters, is too long or is an address, return None.
    """
    words = [_EDGES.sub("", word) for word in text.split()]
    whole = " ".join(words)
    is_short = 0 < len(words) <= _MOST_WORDS_OF_PHRASE and len(whole) <= MOST_CHARS
    return whole if is_short and all(map(_WORD.fullmatch, words)) else None


def digest(keywords: Iterable[str]) -> str | None:
    """Return the sha256 of a set of keywords; None if there are no keywords.

    This hash is stored with each recognised text. A stored text is reused only if the hash of the keywords is the same.
    """
    lines = "\n".join(sorted(set(keywords)))
    return hashlib.sha256(lines.encode()).hexdigest() if lines else None


class _Telling:
    """Decides which words of a text are names.

    If a text has only capitals, capitals do not mark names. If a text has no Cyrillic letters, Latin letters do not
    mark names.
    """

    def __init__(self, text: str) -> None:
        self._capitals_tell = any(letter.islower() for letter in text)
        self._latin_tells = _CYRILLIC.search(text) is not None

    def is_name(self, word: str, *, begins_sentence: bool) -> bool:
        """Return whether the spelling of a word shows that it is not an everyday word."""
        if _LATIN.search(word):
            if self._latin_tells:
                return True
        elif _POLITE.fullmatch(word.lower()):
            return False
        if not self._capitals_tell:
            return False
        first, *others = (letter for letter in word if letter.isalpha())
        return any(letter.isupper() for letter in others) or (first.isupper() and not begins_sentence)


def _tokens(text: str) -> Iterable[_Token]:
    """Yield the words of a text; for each word, state whether it begins a sentence."""
    begins = True
    for line in text.splitlines():
        begins = True
        for word in line.split():
            if key := _key(word):
                yield _Token(word, key, begins)
                begins = False
            begins = begins or word.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


def _replaced(
    old: Sequence[str], new: Sequence[_Token], matcher: "SequenceMatcher[str]"
) -> Iterable[tuple[_Token, Sequence[str]]]:
    """Yield each new word of a correction with the recognised words that stood at about the same place.

    A new word stands where the recognised text had another word. The recognised words that are yielded may include
    words that the correction did not change, because the alignment is not unique. If «а и гуль и» becomes «Айгуль и»,
    the remaining «и» may be aligned with the first «и».
    """
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind != "replace":
            continue
        for number in range(j1, j2):
            centre = i1 + (number - j1) * (i2 - i1) // (j2 - j1)
            yield new[number], old[max(0, centre - _REACH) : centre + _REACH + 1]


def _is_like(key: str, replaced: Sequence[str]) -> bool:
    """Return whether a word is similar to one, two or three neighbouring words of `replaced`, joined without spaces.

    A Latin and a Cyrillic word cannot be compared by letters, so they count as similar.
    """
    is_latin = bool(_LATIN.search(key))
    for start in range(len(replaced)):
        for end in range(start + 1, min(start + _LONGEST_RUN, len(replaced)) + 1):
            run = "".join(replaced[start:end])
            if is_latin != bool(_LATIN.search(run)) or SequenceMatcher(None, key, run).ratio() >= _LIKE:
                return True
    return False


def _key(word: str) -> str:
    return normalise(word).replace(" ", "")


def _n_letters(word: str) -> int:
    return sum(letter.isalpha() for letter in word)
