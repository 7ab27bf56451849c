"""Mark the words that a correction changed."""

import difflib
import re

from aiogram.utils.formatting import Bold, Strikethrough, Text

_WORDS = re.compile(r"\S+")


def word_diff(before: str, after: str) -> list[str | Text]:
    """Return the difference of two texts: deleted words are struck through, and new words are bold.

    Words that differ only in case or punctuation count as different.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    parts: list[str | Text] = []
    for what, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            parts += [" ".join(new[j1:j2]), " "]
            continue
        if i2 > i1:
            parts += [Strikethrough(" ".join(old[i1:i2])), " "]
        if j2 > j1:
            parts += [Bold(" ".join(new[j1:j2])), " "]
    return parts[:-1]


def new_words(before: str, after: str) -> list[str | Text]:
    """Return the text `after`; words that `before` does not have at the same place are bold."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    parts: list[str | Text] = []
    for what, _, _, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if j2 > j1:
            some = " ".join(new[j1:j2])
            parts += [some if what == "equal" else Bold(some), " "]
    return parts[:-1]
