"""Divide a text into Telegram messages: one message, a message with a file, or several messages.

Telegram limits the length of a message (name, text and notes together), and counts it in UTF-16 code units.
"""

from collections.abc import Sequence
from typing import NamedTuple

from aiogram.types import BufferedInputFile, MessageEntity

from glas.tg_bot.talk.phrases import Say

MAX_UNITS = 4096
_OPENING_CHARS = 300
# About a screen of a telephone: a longer text would push the chat out of sight.
_FOLDED_CHARS = 1000
_MAX_NAME_UNITS = 200
_SENTENCE_ENDS = (". ", "! ", "? ", "… ")


class Part(NamedTuple):
    """One message of an answer.

    A long text is formatted as a quotation, of which Telegram shows only the beginning until a person taps it.
    """

    text: str
    entities: tuple[MessageEntity, ...] = ()


class Layout(NamedTuple):
    """The messages of an answer, in their order. `document` is the whole text if it must be sent as a file."""

    parts: tuple[Part, ...]
    document: str | None


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units, as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def is_too_long(text: str) -> bool:
    """Return whether a text is too long for one message."""
    return units(text) > MAX_UNITS


def lay_out(text: str, *, name: str, notes: Sequence[str], say: Say, may_send_documents: bool = True) -> Layout:
    """Divide an answer into messages.

    Args:
        text: the recognised text; not empty.
        name: the speaker's name, which is put before the first message; empty in private chats.
        notes: lines that are put after the last message, such as a warning that the text may be wrong.
        say: the catalogue in the reader's language.
        may_send_documents: whether a long text may be sent as a file; the message then contains the beginning of the
            text. Otherwise the text is divided into as many messages as necessary.
    """
    front = f"{_first_units(name, _MAX_NAME_UNITS)}: " if name else ""
    back = "".join(f"\n\n{note}" for note in notes)
    if not is_too_long(f"{front}{text}{back}"):
        return Layout((_part(front, text, back),), None)
    if may_send_documents:
        start = text[:_OPENING_CHARS].rsplit(" ", 1)[0] + "…"
        return Layout((Part(f"{front}{say('long-text', start=start)}{back}"),), text)
    first, *others = split(text, MAX_UNITS - units(front) - units(back))
    *between, last = others
    return Layout((_part(front, first, ""), *(_part("", one, "") for one in between), _part("", last, back)), None)


def _part(front: str, text: str, back: str) -> Part:
    """Return a message that consists of `front`, `text` and `back`.

    A long text is formatted as a quotation, of which Telegram shows only the beginning until a person taps it.
    """
    entities: tuple[MessageEntity, ...] = ()
    if len(text) > _FOLDED_CHARS:
        entities = (MessageEntity(type="expandable_blockquote", offset=units(front), length=units(text)),)
    return Part(f"{front}{text}{back}", entities)


def split(text: str, limit: int) -> list[str]:
    """Divide a text into parts of at most `limit` UTF-16 code units; cut at ends of paragraphs, sentences or words."""
    parts, rest = list[str](), text.strip()
    while units(rest) > limit:
        head = _first_units(rest, limit)
        cut = _place_to_cut(head)
        parts.append(head[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest]


def _place_to_cut(head: str) -> int:
    """Return the index at which to cut a text.

    Only the second half of the text is searched. The index is the last end of a paragraph in this half. If there is
    none, it is the last end of a sentence, and if there is none either, the last end of a word. If the half contains
    only a part of a very long word, return the length of the text.
    """
    ends = [head.rfind("\n"), max(head.rfind(end) + 1 for end in _SENTENCE_ENDS), head.rfind(" ")]
    return next((end for end in ends if end > len(head) // 2), len(head))


def _first_units(text: str, limit: int) -> str:
    """Return the beginning of a text, with at most `limit` UTF-16 code units.

    A character that consists of two code units is never divided.
    """
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")


def as_document(text: str, name: str) -> BufferedInputFile:
    """Return a text as a file that can be sent; `name` is the name of the file."""
    return BufferedInputFile(text.encode(), name)
