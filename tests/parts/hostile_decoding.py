"""Decode malicious files with the limits of the tests; each file is decoded or refused, within its memory.

"Cheaply" needs no stopwatch: the pool of these tests allows a file five seconds of processor time, and a file that took
more would end as `DecodeLimitError`, which no test of a file expects.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.domain.errors import AudioError
from tests.parts.recordings import encoded, tone

LIMITS = DecodeLimits(max_duration_s=1_200, cpu_s=5)
SPEECH = encoded(tone(440, 10), "ogg-opus")
# What comes of a file: an error, or so many seconds of sound.
Outcome = type[AudioError] | float


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One process, so that each file is decoded after the file before it."""
    with DecoderPool(1, LIMITS) as pool:
        yield pool


def outcome(pool: DecoderPool, data: bytes) -> Outcome:
    """Return the result for `data`; the decoder must have ended by itself, within its memory."""
    try:
        recording = pool.open(data)
    except AudioError as error:
        return type(error)
    result: Outcome
    with recording:
        try:
            for block in recording:
                assert np.isfinite(block).all()
                assert float(np.abs(block).max()) <= 1
            result = recording.duration_s
        except AudioError as error:
            result = type(error)
    assert recording.exit_report is not None
    assert recording.exit_report.exit_code == 0
    assert recording.exit_report.peak_memory_bytes < 512 << 20
    return result
