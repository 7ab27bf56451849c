"""What the network is trained on is what onnx-asr feeds it when it recognises."""

import numpy as np
import pytest

pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")
pytest.importorskip("av", reason="recognition dependencies are not installed")

from importlib.resources import files

import onnxruntime

from glas.training.sound.channel import SAMPLE_RATE_HZ, decode_audio, encode_opus, resample
from glas.training.sound.features import from_bytes, log_mel, normalise, to_bytes
from glas.training.sound.noises import coloured_noise, tones


def sound(seconds: float = 2.345) -> np.ndarray:
    rng = np.random.default_rng(0)
    count = int(seconds * SAMPLE_RATE_HZ)
    return (0.1 * tones(rng, count) + 0.01 * coloured_noise(rng, count, 1)).astype(np.float32)


def test_features_equal_those_of_onnx_asr() -> None:
    samples = sound()
    graph = files("onnx_asr.preprocessors").joinpath("data/nemo80.onnx").read_bytes()
    inputs = {"waveforms": samples[None], "waveforms_lens": np.array([len(samples)])}
    expected, lengths = onnxruntime.InferenceSession(graph).run(None, inputs)
    ours = normalise(log_mel(samples))
    assert ours.shape == (lengths[0], 80)
    np.testing.assert_allclose(ours, expected[0, :, : lengths[0]].T, atol=1e-3)


def test_bytes_keep_features_within_their_rounding() -> None:
    energies = log_mel(sound())
    np.testing.assert_allclose(from_bytes(to_bytes(energies)), energies, atol=0.051)


def test_resampling_keeps_level_and_changes_length() -> None:
    samples = sound()
    longer = resample(samples, 1.1)
    assert len(longer) == pytest.approx(len(samples) * 1.1, rel=0.05)
    assert longer.std() == pytest.approx(samples.std(), rel=0.05)


def test_opus_round_trip_does_not_shift_the_sound() -> None:
    import io

    samples = sound()
    decoded = decode_audio(io.BytesIO(encode_opus(samples, 24_000)))
    count = min(len(samples), len(decoded))
    assert abs(len(decoded) - len(samples)) < 0.05 * SAMPLE_RATE_HZ
    lag = np.correlate(decoded[:count], samples[200 : count - 200], "valid").argmax() - 200
    assert abs(lag) < 50
