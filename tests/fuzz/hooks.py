"""What schemathesis cannot know of our API: which bytes are a recording, and which languages the served model supports.

Requests that are meant to be refused keep their random values.
"""

import io
import wave
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

_A_LIST = 2  # values; fewer look like none or one
_TEXTS = {"model", "language", "prompt", "hotwords"}  # any other value in them arrives as its letters
# The first two words of samples/message-1.ogg: hundreds of requests carry them.
_WORDS = Path(__file__).with_name("words.ogg")


def _quiet(seconds: float) -> bytes:
    """A recording without speech, whose recognition takes almost no time."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * int(seconds * 16_000)))
    return buffer.getvalue()


# What is said makes no other form of an answer: one of four is enough, and not the first, which is drawn most often.
_RECORDINGS = [_quiet(0.2), _WORDS.read_bytes(), _quiet(0.5), _quiet(1.0)]

schemathesis.openapi.format("binary", st.sampled_from(_RECORDINGS))
schemathesis.openapi.format("bcp47", st.sampled_from(["ru", "ru-RU", "RU", "auto", "Russian", "rus"]))


@schemathesis.hook
def filter_case(_context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out cases that a form cannot represent, because a form consists of texts and files."""
    return not isinstance(case.body, dict) or not any(_is_not_shown(name, value) for name, value in case.body.items())


def _is_not_shown(name: str, value: object) -> bool:
    """Return whether a form cannot represent a value: a list of one value, an empty list, or a number in a text."""
    if name.endswith("[]") and not isinstance(value, list):
        return True
    if isinstance(value, list):
        return len(value) < _A_LIST and not name.endswith("[]")
    return name in _TEXTS and not isinstance(value, str)
