"""Who speaks, how, and what a synthesiser must offer."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Manner:
    """How to speak: a voice, words per minute, pitch and its range (0–99), pause between words (10 ms units)."""

    variant: str
    rate_wpm: int = 160
    pitch: int = 50
    pitch_range: int = 50
    word_gap: int = 0


class Synthesiser(Protocol):
    """Text to speech."""

    @property
    def voices(self) -> list[str]:
        """Voices to learn from, by name."""

    @property
    def sample_rate_hz(self) -> int:
        """Of what `speak` returns."""

    def speak(self, text: str, manner: Manner) -> npt.NDArray[np.float32]:
        """Samples (n,) in −1…1 of `text` in the given manner."""
