"""The style in which a synthesiser speaks, and the interface of synthesisers."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SpeakingStyle:
    """A voice, speed in words per minute, pitch and pitch range (both 0–99), and pause between words (in 10 ms)."""

    voice: str
    rate_wpm: int = 160
    pitch: int = 50
    pitch_range: int = 50
    word_gap: int = 0


class Synthesiser(Protocol):
    """Converts text to speech."""

    @property
    def voices(self) -> list[str]:
        """Names of the voices for training."""

    @property
    def sample_rate_hz(self) -> int:
        """Sample rate, in Hz, of the samples that `speak` returns."""

    def speak(self, text: str, style: SpeakingStyle) -> npt.NDArray[np.float32]:
        """Synthesise a text in a style; return samples, shape (n,), in −1…1."""
