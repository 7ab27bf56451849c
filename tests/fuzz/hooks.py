"""What schemathesis cannot know of our API: which bytes are a recording, and which languages the served model supports.

Requests that are meant to be refused keep their random values.
"""

import io
import wave
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation

from tests.fuzz.forms import is_right_as_sent

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
def filter_failure(
    _context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    _response: schemathesis.Response,
) -> bool:
    """Permit that a form with a wrong value is accepted if a right value arrives, and nothing else is wrong.

    schemathesis has such a rule of its own, which gives up if there is a file among the fields.
    """
    if not isinstance(failure, AcceptedNegativeData) or case.meta is None or "form-data" not in (case.media_type or ""):
        return True
    wrong = [place for place, part in case.meta.components.items() if part.mode.is_negative]
    if wrong != [ParameterLocation.BODY]:
        return True
    document = case.operation.schema.raw_schema
    schema = document["paths"][case.path][case.method.lower()]["requestBody"]["content"][case.media_type]["schema"]
    return not is_right_as_sent(case.body, schema, document["components"])
