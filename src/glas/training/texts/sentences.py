"""Draw random Russian sentences, from which the language model is built.

A sentence is one of the following: the text of an invented voice message, which is made from a grammar; a sequence of
words from a dictionary; or a part of a given line of text. A hash of the normalised text determines which sentences are
used only for tests (held out).
"""

import hashlib
import random
import re
from collections.abc import Mapping
from pathlib import Path

from num2words import num2words

from glas.domain.text import normalise
from glas.training.texts.lexicon import Lexicon, inflect
from glas.training.texts.packages import read_sentences
from glas.training.texts.phrases import slots

SHARES = {
    "message": 0.55,
    "words": 0.35,
    "lines": 0.10,
}  # shares of the three kinds of sentences; if no lines are given, the share of lines is added to that of messages
MAX_WORDS = 25
HELD_OUT_ONE_IN = 40

_SLOT = re.compile(r"\{([a-z_0-9]+)((?::[^{}]*)?)\}")
_NOT_LETTERS = re.compile(r"[^а-я ]+")
_NUMBERS = {"n", "n2", "nth"}


def label(text: str) -> str:
    """Return a text after RU-NORM, reduced to the 32 Russian letters (without ё) and single spaces."""
    return " ".join(_NOT_LETTERS.sub(" ", normalise(text)).split())


def held_out(text: str) -> bool:
    """Return whether a sentence belongs to the tests and must never be used for training."""
    return share_of(text, HELD_OUT_ONE_IN) == 0


def share_of(text: str, n_shares: int) -> int:
    """Assign a sentence to one of `n_shares` equal shares, numbered from 0, by a hash of its label text (`label`)."""
    return int(hashlib.sha1(label(text).encode(), usedforsecurity=False).hexdigest(), 16) % n_shares


class TextSource:
    """Draws random sentences. The same seed gives the same sentences in the same order."""

    def __init__(
        self, lexicon: Lexicon, seed: int, lines: list[str] | None = None, shares: Mapping[str, float] = SHARES
    ) -> None:
        self._lexicon, self._shares = lexicon, shares
        self._rng = random.Random(seed)
        self._lines = lines or []

    def draw(self, *, test: bool = False) -> str:
        """Draw a sentence for training, or a held-out sentence if `test` is set."""
        while True:
            text = self._any_sentence()
            clean = label(text)
            if clean and len(clean.split()) <= MAX_WORDS and held_out(clean) == test:
                return text

    def draw_message(self, *, test: bool = False) -> str:
        """Draw the text of a voice message for training, or a held-out text if `test` is set.

        The text has at least three words.
        """
        while True:
            text = self._expand("message")
            if 3 <= len(label(text).split()) <= MAX_WORDS and held_out(text) == test:
                return text

    def _any_sentence(self) -> str:
        dice = self._rng.random()
        if dice < self._shares["words"]:
            return self._word_string()
        if dice < self._shares["words"] + self._shares["lines"] and self._lines:
            return self._piece_of_line()
        return self._expand("message")

    def _word_string(self) -> str:
        count = min(1 + int(self._rng.expovariate(0.22)), 14)
        return " ".join(self._word() for _ in range(count))

    def _word(self) -> str:
        """Draw one to three word forms, mostly from annotated texts, and return the shortest of them."""
        pool = self._lexicon.attested if self._rng.random() < 0.75 else self._lexicon.rare
        return min((self._rng.choice(pool) for _ in range(self._rng.choice((1, 2, 3)))), key=len)

    def _piece_of_line(self) -> str:
        words = self._rng.choice(self._lines).split()
        start = self._rng.randrange(len(words))
        return " ".join(words[start : start + self._rng.randint(2, 16)])

    def _expand(self, slot: str) -> str:
        line = self._rng.choice(slots()[slot])
        return re.sub(r"\s+", " ", _SLOT.sub(self._fill, line))

    def _fill(self, match: re.Match[str]) -> str:
        name, argument = match[1], match[2].lstrip(":")
        if name in _NUMBERS:
            return self._number(name, argument)
        if name == "np":
            return self._noun_phrase(argument)
        if name in ("inf", "adv", "verb3", "verbpast"):
            return self._rng.choice(
                self._lexicon.forms[{"verb3": "verb3 sing", "verbpast": "past masc sing"}.get(name, name)]
            )
        if argument and name == "person" and self._rng.random() < 0.1:
            argument_free = self._expand(name)
            return inflect(argument_free, argument) + " " + inflect(self._expand(name), argument)
        return inflect(self._expand(name), argument) if argument else self._expand(name)

    def _number(self, name: str, argument: str) -> str:
        span, _, case = argument.partition(":")
        low, high = (int(x) for x in span.split("-"))
        value = self._rng.randint(low, high)
        if name == "nth":
            return inflect_last(num2words(value, lang="ru", to="ordinal"), case)
        return str(num2words(value, lang="ru"))

    def _noun_phrase(self, case: str) -> str:
        forms = self._lexicon.forms
        gender, number = self._rng.choice((("masc", "sing"), ("femn", "sing"), ("neut", "sing"), ("x", "plur")))
        noun = self._rng.choice(forms[f"noun {case} {gender} {number}"])
        adjectives = forms.get(f"adj {case} {gender} {number}")
        return f"{self._rng.choice(adjectives)} {noun}" if adjectives and self._rng.random() < 0.45 else noun


def inflect_last(ordinal: str, case: str) -> str:
    """Inflect an ordinal such as «двадцать первый»; only its last word changes."""
    *first, last = ordinal.split()
    return " ".join([*first, inflect(last, case)])


def read_lines(folder: Path | None) -> list[str]:
    """Read Russian sentences of three or more words from a directory of unpacked Debian packages, or of text files."""
    lines = read_sentences(folder) if folder else ()
    return [re.sub(r"[^а-яёА-ЯЁ ]+", " ", line) for line in lines if len(label(line).split()) >= 3]
