"""Sentences in a synthetic voice, for tests that need sound whose words are known."""

from collections.abc import Iterable
from multiprocessing import get_context

import numpy as np

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.training.sound.channel import level, resample
from glas.training.voices.espeak import Espeak
from glas.training.voices.speaking_style import SpeakingStyle, Synthesiser


def speak(synthesiser: Synthesiser, text: str, style: SpeakingStyle) -> Samples:
    """Return clean speech (n,) at 16 kHz, at -20 dB of full scale, with 0.25 s of silence before and after it."""
    samples = resample(synthesiser.speak(text, style), SAMPLE_RATE_HZ / synthesiser.sample_rate_hz)
    samples = np.pad(samples * np.float32(0.1 / level(samples)), SAMPLE_RATE_HZ // 4)
    return samples + np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32) * np.float32(1e-4)


def say_all(sayings: Iterable[tuple[str, SpeakingStyle]]) -> list[Samples]:
    """Let espeak-ng speak sentences in a fresh process: what it said before in this one would change them."""
    chosen = list(sayings)
    with get_context("spawn").Pool(1) as pool:
        return pool.starmap(_say, chosen, chunksize=len(chosen))


def _say(text: str, style: SpeakingStyle) -> Samples:
    return speak(Espeak(), text, style)
