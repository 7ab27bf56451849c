"""Texts as Telegram can show them."""

from aiogram.types import BufferedInputFile

# Telegram's limit is 4096; what is left is for a name in front and a line behind.
LONG_UNITS = 4000
_OPENING_CHARS = 300


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def is_long(text: str) -> bool:
    """Whether a text must go into a file."""
    return units(text) > LONG_UNITS


def opening(text: str) -> str:
    """The first words of a long text."""
    return text[:_OPENING_CHARS].rsplit(" ", 1)[0] + "…"


def as_document(text: str, name: str) -> BufferedInputFile:
    """A text as a file."""
    return BufferedInputFile(text.encode(), name)
