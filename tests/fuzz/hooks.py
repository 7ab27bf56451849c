"""What schemathesis cannot know of our API: which bytes are a recording, and which languages the served model knows.

Requests that are meant to be refused keep their random values.
"""

from pathlib import Path

import schemathesis
from hypothesis import strategies as st

_SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "samples").glob("*.ogg"))]

schemathesis.openapi.format("binary", st.sampled_from(_SAMPLES))
schemathesis.openapi.format("bcp47", st.sampled_from(["ru", "ru-RU", "RU", "auto", "Russian", "rus"]))
