"""Test the noises and faults that are added to synthetic voices, and that a seed determines them."""

import numpy as np
import pytest

pytest.importorskip("av", reason="recognition dependencies are not installed")

from glas.training.sound.channel import (
    PACKET_SAMPLES,
    SAMPLE_RATE_HZ,
    Samples,
    clip,
    fast_length,
    level,
    limit_band,
    lose_packets,
)
from glas.training.sound.noises import add_noise, any_noise, clicks, coloured_noise, hum, street, tones, wind

SECONDS = 3
COUNT = SECONDS * SAMPLE_RATE_HZ
NOISES = {"wind": wind, "street": street, "clicks": clicks, "hum": hum, "tones": tones}


def voice() -> Samples:
    time_s = np.arange(COUNT) / SAMPLE_RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 220 * time_s) * np.hanning(COUNT)).astype(np.float32)


@pytest.mark.parametrize("name", NOISES)
def test_a_noise_has_level_one_and_a_seed_decides_it(name: str) -> None:
    first, again, other = (NOISES[name](np.random.default_rng(seed), COUNT) for seed in (1, 1, 2))
    assert first.dtype == np.float32
    assert first.shape == (COUNT,)
    assert level(first) == pytest.approx(1, rel=0.1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_wind_is_low_and_clicks_are_short() -> None:
    rng = np.random.default_rng(3)
    power = np.abs(np.fft.rfft(wind(rng, COUNT))) ** 2
    assert power[: 300 * SECONDS].sum() > 0.9 * power.sum()
    loud = np.abs(clicks(rng, COUNT)) > 1
    assert 0 < loud.mean() < 0.1


@pytest.mark.parametrize("seed", range(40))
def test_any_noise_comes_at_the_ratio_that_is_asked_for(seed: int) -> None:
    said, rng = voice(), np.random.default_rng(seed)
    noisy = add_noise(rng, said, [coloured_noise(rng, COUNT // 2, 1)], (10.0, 10.0))
    assert 20 * np.log10(level(said) / level(noisy - said)) == pytest.approx(10, abs=1)
    assert np.isfinite(any_noise(rng, 100, [])).all()


@pytest.mark.parametrize("seed", range(4))
def test_clipping_cuts_the_loud_and_leaves_the_rest(seed: int) -> None:
    said = voice()
    cut = clip(np.random.default_rng(seed), said)
    assert np.abs(cut).max() < np.abs(said).max()
    faint = np.abs(said) < 0.01
    assert np.allclose(cut[faint], said[faint], atol=1e-4)


def test_some_packets_are_lost_and_the_others_untouched() -> None:
    said = voice() + np.float32(0.5)
    lost = []
    for seed in range(20):
        heard = lose_packets(np.random.default_rng(seed), said)
        same = (heard == said).reshape(-1, PACKET_SAMPLES).all(axis=1)
        assert len(heard) == len(said)
        lost.append(1 - same.mean())
    assert 0.01 < np.mean(lost) < 0.2


@pytest.mark.parametrize(("count", "expected"), [(0, 1), (7, 8), (97, 100), (1000, 1000), (16_001, 16_200)])
def test_the_next_length_with_a_fast_transform(count: int, expected: int) -> None:
    assert fast_length(count) == expected


def test_a_telephone_passes_speech_and_stops_low_and_high_tones() -> None:
    """The number of samples is prime."""
    count = 47_981
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    kept = {
        pitch_hz: level(limit_band(np.random.default_rng(0), np.sin(2 * np.pi * pitch_hz * time_s).astype(np.float32)))
        for pitch_hz in (20, 1000, 6000)
    }
    assert kept[1000] == pytest.approx(1 / np.sqrt(2), rel=0.02)
    assert max(kept[20], kept[6000]) < 0.1
