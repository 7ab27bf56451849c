"""Read Fluent files: messages, comments, `{ $variables }` and choices between variants.

This module reads a part of Fluent 1.0. Terms, attributes, references and functions of Fluent cause an error. A choice
between variants is written like this:

    found = { $count ->
        [0] Nothing found
        [one] {$count} file found
       *[other] {$count} files found
    }

The name of a variant is a plural category, a number or a word. The variant with the asterisk is used if no other
variant fits.
"""

import re
from typing import Final, NamedTuple, TypeAlias

_MESSAGE: Final = re.compile(r"([a-z][\w-]*) =(.*)")
_VARIABLE: Final = re.compile(r"\{\s*\$([a-z_]+)\s*(->|\})\s*")
_LITERAL: Final = re.compile(r'\{\s*"([^"]*)"\s*\}')
_VARIANT: Final = re.compile(r"\s*(\*?)\[([\w-]+)\][ ]*")
_VARIANT_END: Final = re.compile(r"\s*(?=\n\s*\*?\[|\n?\s*\})")
_CHOICE_END: Final = re.compile(r"\s*\}")


class Variable(NamedTuple):
    """A place in a message where a value is inserted."""

    name: str


class Choice(NamedTuple):
    """A place in a message where one of several variants is inserted; the value of `variable` determines which one."""

    variable: str
    variants: dict[str, "Pattern"]
    default: str


Part: TypeAlias = str | Variable | Choice
Pattern: TypeAlias = tuple[Part, ...]


def read_messages(source: str) -> dict[str, str]:
    """Divide the text of a Fluent file into messages, and return the text of each message by its name.

    The caller parses the text of a message with `parse_pattern`.

    Raises:
        ValueError: a line is neither a message nor a comment, or a name occurs twice.
    """
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        if message := _MESSAGE.fullmatch(line):
            if message[1] in found:
                raise ValueError(f"expected each message once, got another {message[1]!r} in line {number}")
            lines = found[message[1]] = [message[2].strip()]
        elif line.startswith(" ") or not line.strip():
            lines.append(line.rstrip())
        elif not line.startswith("#"):
            raise ValueError(f"expected a message, a comment or a continuation in line {number}, got {line!r}")
    return {name: _joined(*lines) for name, lines in found.items()}


def _joined(first: str, *more: str) -> str:
    """Join the lines of a message, and remove the indentation that all lines after the first have in common."""
    indent = min((len(line) - len(line.lstrip()) for line in more if line), default=0)
    return "\n".join([first, *(line[indent:] for line in more)]).strip()


def parse_pattern(text: str) -> Pattern:
    """Parse the text of one message into a pattern: a tuple of texts, variables and choices.

    Raises:
        ValueError: braces are not in pairs, or braces contain something that this module does not support.
    """
    pattern, end = _pattern(text, 0, is_variant=False)
    if end != len(text):
        raise ValueError(f"expected no closing brace at {end}, got {text!r}")
    return pattern


def variables_of(pattern: Pattern) -> frozenset[str]:
    """Return the names of all variables of a pattern."""
    names: set[str] = set()
    for part in pattern:
        if isinstance(part, Variable):
            names.add(part.name)
        elif isinstance(part, Choice):
            names.add(part.variable)
            names.update(*(variables_of(variant) for variant in part.variants.values()))
    return frozenset(names)


def _pattern(text: str, at: int, *, is_variant: bool) -> tuple[Pattern, int]:
    """Parse a pattern that begins at index `at`; return the pattern and the index of the first character after it.

    A pattern ends at the end of the text or before a closing brace. The pattern of a variant also ends before the next
    variant.
    """
    parts: list[Part] = []
    begin = at
    while at < len(text):
        if text[at] == "{":
            parts.append(text[begin:at])
            part, at = _placeable(text, at)
            parts.append(part)
            begin = at
        elif text[at] == "}" or (is_variant and _VARIANT_END.match(text, at)):
            break
        else:
            at += 1
    parts.append(text[begin:at])
    return tuple(part for part in parts if part), at


def _placeable(text: str, at: int) -> tuple[Part, int]:
    if literal := _LITERAL.match(text, at):
        return literal[1], literal.end()
    variable = _VARIABLE.match(text, at)
    if variable is None:
        raise ValueError(f"expected a variable, a choice or a literal in braces at {at}, got {text!r}")
    if variable[2] == "}":
        # White space after the brace is text.
        return Variable(variable[1]), text.index("}", at) + 1
    return _choice(text, variable[1], variable.end())


def _choice(text: str, name: str, at: int) -> tuple[Choice, int]:
    variants: dict[str, Pattern] = {}
    default = None
    while variant := _VARIANT.match(text, at):
        pattern, at = _pattern(text, variant.end(), is_variant=True)
        variants[variant[2]] = pattern
        default = variant[2] if variant[1] else default
    end = _CHOICE_END.match(text, at)
    if default is None or end is None:
        raise ValueError(f"expected variants, one with an asterisk, and a closing brace at {at}, got {text!r}")
    return Choice(name, variants, default), end.end()
