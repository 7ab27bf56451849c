"""Read the messages of one language from Fluent files; return a message by its name, with values filled in."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from glas.localisation.fluent import Choice, Pattern, Variable, parse_pattern, read_messages, variables_of
from glas.localisation.plurals import plural_category, written

Value: TypeAlias = str | int | Decimal

LANGUAGES: Final = ("ru", "en")
_ERROR: Final = "error-"
_UNKNOWN_ERROR: Final = "internal_error"


class Catalogue:
    """All messages in one language. If `say` is a catalogue, `say("forgotten", count=5)` returns one message."""

    def __init__(self, language: str) -> None:
        """Read the files of a language, `ru` or `en`.

        A message is parsed when it is first needed, because a command needs only few messages.
        """
        self.language = language
        self._sources: dict[str, str] = {}
        self._patterns: dict[str, Pattern] = {}
        for file in sorted((Path(__file__).parent / language).glob("*.ftl")):
            found = read_messages(file.read_text(encoding="utf-8"))
            if twice := self._sources.keys() & found.keys():
                raise ValueError(f"expected each message once, got {sorted(twice)} again in {file.name}")
            self._sources |= found

    def __call__(self, name: str, /, **values: Value) -> str:
        """Return the message with the name `name`; `values` are inserted in the places of its variables.

        Raises:
            KeyError: there is no such message, or a value is missing.
        """
        return self._filled(self._pattern(name), values)

    def __contains__(self, name: str) -> bool:
        """Return whether there is a message of that name."""
        return name in self._sources

    def error(self, code: str, limit: int | None = None) -> str:
        """Return the message that explains an error to people.

        Args:
            code: a code of `glas.domain.errors`. If the catalogue has no message for the code, a general message is
                returned.
            limit: the limit that was exceeded, in the unit that the message names; None if no limit was exceeded.
        """
        name = _ERROR + code if _ERROR + code in self else _ERROR + _UNKNOWN_ERROR
        return self(name, limit=limit or 0)

    def names(self) -> frozenset[str]:
        """Return the names of all messages."""
        return frozenset(self._sources)

    def variables(self, name: str) -> frozenset[str]:
        """Return the names of a message's variables."""
        return variables_of(self._pattern(name))

    def _pattern(self, name: str) -> Pattern:
        if name not in self._patterns:
            self._patterns[name] = parse_pattern(self._sources[name])
        return self._patterns[name]

    def _filled(self, pattern: Pattern, values: dict[str, Value]) -> str:
        parts: list[str] = []
        for part in pattern:
            match part:
                case Variable():
                    parts.append(self._written(values[part.name]))
                case Choice():
                    parts.append(self._filled(part.variants[self._chosen(part, values)], values))
                case _:
                    parts.append(part)
        return "".join(parts)

    def _written(self, value: Value) -> str:
        return value if isinstance(value, str) else written(self.language, value)

    def _chosen(self, choice: Choice, values: dict[str, Value]) -> str:
        """Return the name of the variant to show: the variant that fits the value of the choice's variable.

        If a variant has the value itself as its name, this variant is chosen. Otherwise the variant whose name is the
        plural category of the value is chosen. If there is neither, the default variant is chosen.
        """
        value = values[choice.variable]
        keys = [str(value)]
        if not isinstance(value, str):
            keys.append(plural_category(self.language, value))
        return next((key for key in keys if key in choice.variants), choice.default)


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language, `ru` or `en`; only the first call for a language reads its files."""
    return Catalogue(language)


def language_of(tag: str | None) -> str:
    """Return the language of messages to a person: `en` if the person's device is in English, otherwise `ru`.

    Args:
        tag: the language of the device, as a language tag or as the name of a locale, such as `en`, `en-GB` or
            `en_US.UTF-8`; None if the language is not known.
    """
    known = (tag or "").lower().replace("_", "-").partition(".")[0].partition("-")[0]
    return known if known in LANGUAGES else LANGUAGES[0]


def rounded(value: float, digits: int = 1) -> Decimal:
    """Round a measured number to `digits` decimals.

    The result keeps zeros at its end, because the plural category depends on the decimals that are shown.
    """
    return Decimal(f"{value:.{digits}f}")
