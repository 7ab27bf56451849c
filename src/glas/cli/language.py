"""Determine the language of the command line, Russian or English.

The language is determined before the settings are read, because help texts are made when modules are imported.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

from glas.localisation import catalogue, language_of, rounded

_VARIABLE: Final = "GLAS_LANGUAGE"
# Variables of the locale, in the order in which the C library reads them for the language of messages.
_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_FEW_TIMES: Final = 10


def chosen_language(environment: Mapping[str, str], file: Path) -> str:
    """Return `ru` or `en`: GLAS_LANGUAGE from the environment or `file`; if it is not set, the terminal's language.

    If the locale of the terminal is neither Russian nor English, such as `C` or `POSIX`, the language is Russian.
    """
    named = environment.get(_VARIABLE) or _in_file(file)
    locale = next((environment[name] for name in _LOCALES if environment.get(name)), None)
    return language_of(named or locale)


def _in_file(file: Path) -> str | None:
    if not file.is_file():
        return None
    from dotenv import dotenv_values

    return dotenv_values(file, encoding="utf-8").get(_VARIABLE)


say = catalogue(chosen_language(os.environ, Path(".env")))


class Titled(Protocol):
    """An object that has a name in each language."""

    @property
    def ru(self) -> str:
        """The Russian name."""

    @property
    def en(self) -> str:
        """The English name."""


def title(of: Titled) -> str:
    """Return the name of an object in the language of the command line."""
    return of.en if say.language == "en" else of.ru


def times(speed: float) -> Decimal:
    """Round a speed (seconds of sound per second of processing) to the digits that people see."""
    return rounded(speed, 0 if speed >= _FEW_TIMES else 1)
