"""Write a reference with the capitals and punctuation of the model that learns it.

Most people who correct a text do not change capitals and punctuation, and some references have none. A model that is
trained on words without capitals and punctuation stops writing them. So where a reference has the same words as the
hypothesis, they are written as in the hypothesis (measured in docs/lab-notes.md).
"""

from difflib import SequenceMatcher

from glas.domain.text import normalise

_MARKS = ".,!?…:;»)"


def target_text(reference: str, hypothesis: str) -> str:
    """Return the words of the reference; words that the hypothesis has, too, are written as in the hypothesis.

    Args:
        reference: the right words of the recording.
        hypothesis: the recognised text; empty if it is unknown.
    """
    said, heard = reference.split(), hypothesis.split()
    if not heard:
        return " ".join(said)
    is_bare = not any(mark in reference for mark in _MARKS) and reference == reference.lower()
    found: list[str] = []
    matcher = SequenceMatcher(None, _keys(said), _keys(heard), autojunk=False)
    for kind, start, end, heard_start, heard_end in matcher.get_opcodes():
        if kind == "equal":
            found += heard[heard_start:heard_end]
        elif is_bare and kind == "replace":
            found += _dressed(said[start:end], heard[heard_start:heard_end])
        else:
            found += said[start:end]
    return " ".join(found)


def _keys(words: list[str]) -> list[str]:
    """Return the words in the form in which they are compared; a mark between spaces is compared unchanged."""
    return [normalise(word) or word for word in words]


def _dressed(words: list[str], heard: list[str]) -> list[str]:
    """Give words without capitals and marks the first capital and the last marks of the recognised words."""
    behind = len(heard)
    while behind and not normalise(heard[behind - 1]):  # a dash between spaces
        behind -= 1
    if not behind:
        return words
    first, last = words[0], heard[behind - 1]
    if heard[0][:1].isupper():
        words = [first[:1].upper() + first[1:], *words[1:]]
    return [*words[:-1], words[-1] + last[len(last.rstrip(_MARKS)) :], *heard[behind:]]
