"""Write a reference in the spelling of the model that learns it: with the model's capitals and punctuation.

Most people who correct a text do not change capitals and punctuation, and some references have neither. A model that is
trained on words without capitals and punctuation stops writing them. So words that are in the reference and in the
hypothesis are written as in the hypothesis.
"""

from difflib import SequenceMatcher

from glas.domain.text import normalise

_MARKS = ".,!?…:;»)"


def target_text(reference: str, hypothesis: str) -> str:
    """Return the words of the reference; words that are also in the hypothesis are written as in the hypothesis.

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
    """Return words in the form in which they are compared: after RU-NORM. A punctuation mark between spaces is kept."""
    return [normalise(word) or word for word in words]


def _dressed(words: list[str], heard: list[str]) -> list[str]:
    """Add to words of a reference the capitals and punctuation of `heard`, the recognised words in the same place.

    `words` have neither capitals nor punctuation. A capital at the beginning of `heard` and punctuation marks at the
    end of `heard` are copied.
    """
    behind = len(heard)
    while behind and not normalise(heard[behind - 1]):  # skip punctuation marks between spaces, such as a dash
        behind -= 1
    if not behind:
        return words
    first, last = words[0], heard[behind - 1]
    if heard[0][:1].isupper():
        words = [first[:1].upper() + first[1:], *words[1:]]
    return [*words[:-1], words[-1] + last[len(last.rstrip(_MARKS)) :], *heard[behind:]]
