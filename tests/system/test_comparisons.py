"""Test that the embedded model scores given texts of people's recordings, as corrections need it.

`make test` scores wrong words of three samples, `make whole` of all samples.
"""

import os
from pathlib import Path

import httpx
import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.clients.http import open_http
from glas.clients.nn_service import NnServiceClient
from glas.domain.corrections import Sound
from glas.domain.text import normalise
from tests.conftest import Sample, Server, as_wav

# Words of the samples, and others that nobody said there.
FALSE = (
    ("странно", "понятно"),
    ("помнить", "построить"),
    ("барышни", "лошади"),
    ("с улицы", "на базар"),
    ("землю", "соседку"),
    ("зевает", "играет"),
)
EVERY = 1 if "WHOLE_SETS" in os.environ else 2
NOISE = 2.0  # of the recording's root mean square: so much that some words are recognised wrongly


async def judged(server: Server, data: bytes, text: str) -> Sound:
    async def audio() -> bytes:
        return data

    async with open_http(url=server.url, token=None) as http:
        return await NnServiceClient(http).judge_text(audio, text, against="")


@pytest.mark.parametrize(("number", "change"), list(enumerate(FALSE))[::EVERY])
async def test_words_that_nobody_said_are_denied(
    server: Server, samples: list[Sample], number: int, change: tuple[str, str]
) -> None:
    sample = samples[number]
    assert change[0] in sample.text
    assert await judged(server, sample.path.read_bytes(), sample.text.replace(*change)) is Sound.DENIES
    assert await judged(server, sample.path.read_bytes(), sample.text.upper()) is Sound.SUPPORTS


async def test_what_was_said_is_not_denied_where_it_was_recognised_wrongly(
    server: Server, samples: list[Sample]
) -> None:
    found = []
    for seed, sample in enumerate(samples):
        data = noisy(sample.path, seed)
        async with open_http(url=server.url, token=None) as http:
            recognised = (await NnServiceClient(http).transcribe(data)).hypothesis.text
        if normalise(recognised) != normalise(sample.text):
            found.append(await judged(server, data, sample.text))
    assert len(found) >= 2
    assert Sound.SUPPORTS in found
    assert found.count(Sound.DENIES) <= 1


async def test_several_pieces_of_speech_are_not_compared(server: Server, samples: list[Sample]) -> None:
    pause = np.zeros(16_000 * 5, np.float32)
    parts = [part for sample in samples for part in (decoded(sample.path), pause)]
    assert await judged(server, as_wav(np.concatenate(parts)), "Это странно") is Sound.UNKNOWN


def test_an_empty_text_is_refused(server: Server, samples: list[Sample]) -> None:
    files = {"file": samples[0].path.read_bytes()}
    answer = httpx.post(
        f"{server.url}/v1/audio/comparisons", files=files, data={"text": ""}, trust_env=False, timeout=60
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "text"


def noisy(path: Path, seed: int) -> bytes:
    samples = decoded(path)
    noise = np.random.default_rng(seed).normal(0, NOISE * np.sqrt(np.mean(samples**2)), samples.shape)
    return as_wav((samples + noise).astype(np.float32))


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))
