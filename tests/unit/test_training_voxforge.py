"""The map from telephone cepstra to the network's bands."""

import numpy as np
import pytest

pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")
pytest.importorskip("av", reason="recognition dependencies are not installed")
pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")

from glas.training.sound.channel import SAMPLE_RATE_HZ
from glas.training.sound.features import log_mel, normalise
from glas.training.sound.noises import coloured_noise, tones
from glas.training.voices.voxforge import LIFTER, BandMap, bands_of_cepstra, cosines, sphinx_bands, sphinx_filters


def sounds(seed: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ, count)
    return [(0.1 * tones(rng, n) + 0.03 * coloured_noise(rng, n, 1)).astype(np.float32) for n in lengths]


def test_filters_cover_the_telephone_band() -> None:
    frequency_hz = np.arange(257) * 8000 / 512
    covered = frequency_hz[sphinx_filters().sum(axis=1) > 0]
    assert 200 <= covered.min() < 260
    assert 3400 < covered.max() <= 3500


def test_liftered_cepstra_give_their_bands_back() -> None:
    bands = sphinx_bands(sounds(1, 1)[0])
    lifter = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(13) / LIFTER)
    cepstra = (bands @ cosines().T * lifter).astype(np.float32)
    assert np.abs(bands_of_cepstra(cepstra) - bands).max() < 1e-3


def test_map_predicts_most_of_the_lower_bands() -> None:
    band_map = BandMap.learn(sounds(2, 12))
    sound = sounds(3, 1)[0]
    expected, mapped = normalise(log_mel(sound)), normalise(band_map(sphinx_bands(sound)))
    assert mapped.shape == expected.shape
    assert np.corrcoef(mapped[:, 5:55].ravel(), expected[:, 5:55].ravel())[0, 1] > 0.7


def test_map_survives_its_file(tmp_path: object) -> None:
    band_map = BandMap.learn(sounds(4, 3))
    path = __import__("pathlib").Path(str(tmp_path)) / "map.npz"
    band_map.save(path)
    bands = sphinx_bands(sounds(5, 1)[0])
    np.testing.assert_array_equal(BandMap.load(path)(bands), band_map(bands))


def test_narrowing_does_about_what_the_map_does() -> None:
    band_map = BandMap.learn(sounds(2, 12))
    sound = sounds(3, 1)[0]
    mapped = normalise(band_map(sphinx_bands(sound)))
    narrowed = normalise(log_mel(sound)) @ band_map.narrow
    assert np.corrcoef(narrowed[:, 5:55].ravel(), mapped[:, 5:55].ravel())[0, 1] > 0.8
