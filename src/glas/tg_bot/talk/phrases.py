"""Phrases of the bot in every language, read from `locales/*.ftl`.

The files are Fluent, of which we read the plain part: messages, comments, `{$variables}` and indented continuation.
"""

import re
from collections.abc import Callable
from importlib import resources
from typing import TypeAlias

from glas.domain.numerals import count_form
from glas.domain.people import Locale

_MESSAGE = re.compile(r"([a-z][\w-]*) =(.*)")
_VARIABLE = re.compile(r"\{\$(\w+)\}")

Say: TypeAlias = Callable[..., str]


class Phrases:
    """All phrases; `phrases[locale]("balance", coins="1")` returns one of them."""

    def __init__(self) -> None:
        folder = resources.files("glas.tg_bot.talk") / "locales"
        self._texts = {locale: parse((folder / f"{locale}.ftl").read_text(encoding="utf-8")) for locale in Locale}

    def __getitem__(self, locale: Locale) -> Say:
        """Return the function that gives phrases in one language."""
        texts = self._texts[locale]

        def say(name: str, /, **values: object) -> str:
            return _VARIABLE.sub(lambda found: str(values[found[1]]), texts[name])

        return say

    def names(self, locale: Locale) -> frozenset[str]:
        """Return the names of all phrases of a language."""
        return frozenset(self._texts[locale])


def parse(source: str) -> dict[str, str]:
    """Parse a file of messages.

    Raises:
        ValueError: a line is none that we understand.
    """
    texts: dict[str, list[str]] = {}
    lines: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        if found := _MESSAGE.fullmatch(line):
            lines = texts[found[1]] = [found[2].strip()]
        elif line.startswith("    "):
            lines.append(line.strip())
        elif not line.strip():
            lines.append("")
        elif not line.startswith("#"):
            raise ValueError(f"expected a message, a comment or a continuation in line {number}, got {line!r}")
    return {name: "\n".join(parts).strip() for name, parts in texts.items()}


def coins(hundredths: int, locale: Locale) -> str:
    """Return an amount with its noun: «12,5 монеты», "12.5 coins"."""
    sign, (whole, cents) = ("−" if hundredths < 0 else ""), divmod(abs(hundredths), 100)
    decimals = f"{cents:02}".rstrip("0")
    if locale is Locale.EN:
        number = f"{sign}{whole}" + (f".{decimals}" if decimals else "")
        return f"{number} {'coin' if (whole, cents) == (1, 0) else 'coins'}"
    number = f"{sign}{whole}" + (f",{decimals}" if decimals else "")
    noun = "монеты" if decimals else count_form(whole, "монета", "монеты", "монет")
    return f"{number} {noun}"
