"""Damage good recordings at random: each file is decoded or refused with an error, and no decoder crashes.

With FUZZ_AUDIO_S, the second test goes on for so many seconds, with other files in every run.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from glas.audio.decoder import DecoderPool
from glas.domain.errors import CorruptAudioError
from tests.parts import hostile
from tests.parts.hostile_decoding import LIMITS, Outcome, outcome
from tests.parts.recordings import KINDS, encoded, film, tone

_SECONDS = float(os.environ.get("FUZZ_AUDIO_S", "0"))
_RATE_HZ = 16_000
# Numbers that lengths, counts and rates in headers often do not expect.
_EXTREMES = [bytes(n) for n in (1, 2, 4, 8)] + [b"\xff" * n for n in (1, 2, 4, 8)]
_EXTREMES += [b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\0\0\x80", b"\0\0\0\1", b"\1\0\0\0"]
_HEAD_BYTES = 300
_LEFT_BYTES = 8


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One process, so that each file is decoded after the file before it."""
    with DecoderPool(1, LIMITS) as pool:
        yield pool


@pytest.fixture(scope="module")
def good() -> list[bytes]:
    """Half a second in each format, and files with more than one stream or with other data beside the sound."""
    return [encoded(tone(440, 0.5, _RATE_HZ), kind, _RATE_HZ) for kind in KINDS] + [
        film(tone(440, 0.5)),
        hostile.chained_ogg(),
        hostile.chained_ogg("ogg-opus"),
        hostile.mkv_with_attachment_and_subtitles(),
        hostile.mkv_zip_bomb(2, 16_000),
        hostile.mp3_with_cover(1_000),
        hostile.mp3_with_old_title(),
        hostile.mp3_with_zip_bombs(2, 10_000),
        hostile.mp4_of_many_streams(3),
    ]


def damaged(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return `data` without its end or a part, with changed bytes, with a part twice, or with the end of `other`."""
    start = chance.randrange(_LEFT_BYTES, max(len(data), _LEFT_BYTES + 1))
    length = chance.randrange(2_000)
    ways = (
        data[:start],
        data[:start] + data[start + length :],
        data[: start + length] + data[start:],
        data[:start] + other[chance.randrange(len(other)) :],
        hostile.flipped(data, chance.choice((1, 10, 100)), seed=chance.getrandbits(32)),
        _overwritten(data, start, chance),
        _overwritten(data, min(start, chance.randrange(_HEAD_BYTES)), chance),
    )
    return chance.choice(ways)


def _overwritten(data: bytes, start: int, chance: random.Random) -> bytes:
    number = chance.choice(_EXTREMES)
    return data[:start] + number + data[start + len(number) :]


def test_damage_at_random_is_never_more_than_an_audio_error(pool: DecoderPool, good: list[bytes]) -> None:
    chance = random.Random(20_261_122)  # noqa: S311 - a repeatable test, no secret
    results: Counter[bool | Outcome] = Counter()
    for data in good * 3:
        result = outcome(pool, damaged(data, chance.choice(good), chance))
        results[isinstance(result, float) or result] += 1
    assert results[True] > 0
    assert results[CorruptAudioError] > 0


@pytest.mark.skipif(not _SECONDS, reason="takes as long as FUZZ_AUDIO_S says")
@pytest.mark.timeout(_SECONDS + 120)
def test_damage_for_a_long_time(pool: DecoderPool, good: list[bytes], tmp_path: Path) -> None:
    seed = time.time_ns()
    chance = random.Random(seed)  # noqa: S311 - its seed is printed
    results: Counter[str] = Counter()
    faults: list[str] = []
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        data = chance.choice(good)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            data = damaged(data, chance.choice(good), chance)
        try:
            result = outcome(pool, data)
        except Exception as error:  # noqa: BLE001 - the file is kept, and the next ones are tried
            kept = tmp_path / f"{len(faults)}.bin"
            kept.write_bytes(data)
            faults.append(f"{kept}: {error!r}")
            print(faults[-1], flush=True)  # noqa: T201 - shown by `make fuzz`
            continue
        results["sound" if isinstance(result, float) else result.__name__] += 1
    print(f"seed {seed}, {results.total()} files, {dict(results)}", flush=True)  # noqa: T201 - shown by `make fuzz`
    assert faults == []
