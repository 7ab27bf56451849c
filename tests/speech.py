"""Sentences in a synthetic voice, for tests that need sound whose words are known."""

import numpy as np

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.training.sound.channel import level, resample
from glas.training.voices.speaking_style import SpeakingStyle, Synthesiser


def speak(synthesiser: Synthesiser, text: str, style: SpeakingStyle) -> Samples:
    """Return clean speech (n,) at 16 kHz, at -20 dB of full scale, with 0.25 s of silence before and after it."""
    samples = resample(synthesiser.speak(text, style), SAMPLE_RATE_HZ / synthesiser.sample_rate_hz)
    samples = np.pad(samples * np.float32(0.1 / level(samples)), SAMPLE_RATE_HZ // 4)
    return samples + np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32) * np.float32(1e-4)
