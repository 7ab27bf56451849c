"""Augment a clean clip: add the effects of a random microphone, room, noise and codec, as in voice messages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glas.training.sound.channel import (
    Samples,
    clip,
    level,
    limit_band,
    lose_packets,
    reverberate,
    through_opus,
    tilt,
)
from glas.training.sound.noises import add_noise, coloured_noise

CLEAN = 0.2  # share of the clips to which only a faint noise is added
# Each effect is added to this share of the other clips.
TILT, REVERB, NOISE, CLIP, TELEPHONE, OPUS, LOSS = 0.6, 0.3, 0.45, 0.08, 0.35, 0.15, 0.06
SNR_DB = (5.0, 35.0)
LEVEL_DB = (-32.0, -8.0)  # range of the root mean square of the result; 0 dB is full scale
FAINT_DB = (40.0, 75.0)  # range of the signal-to-noise ratio of the faint noise that every clip gets


@dataclass
class Augmentation:
    """A function that applies a random chain of effects to a clip.

    The clip, the other clips and the state of the random generator determine the result. So a training that was
    interrupted gets the same augmented clips as a training that was not.

    Attributes:
        snr_db: range from which the signal-to-noise ratio is drawn for clips with noise, in decibels.
        clean: share of the clips (0..1) to which only a faint noise is added.
    """

    snr_db: tuple[float, float] = SNR_DB
    clean: float = CLEAN

    def __call__(self, rng: np.random.Generator, samples: Samples, others: Sequence[Samples]) -> Samples:
        """Return the augmented clip, shape `(n_samples,)`.

        Args:
            rng: random generator.
            samples: the clip, shape `(n_samples,)`.
            others: other clips, which are used as background voices (babble).
        """
        sent = samples
        if rng.random() >= self.clean:
            sent = self._sent(rng, samples, others)
        sent = sent + coloured_noise(rng, len(sent), 0.5) * np.float32(
            level(sent) * 10 ** (-rng.uniform(*FAINT_DB) / 20)
        )
        return sent * np.float32(10 ** (rng.uniform(*LEVEL_DB) / 20) / level(sent))

    def _sent(self, rng: np.random.Generator, samples: Samples, others: Sequence[Samples]) -> Samples:
        samples = tilt(rng, samples) if rng.random() < TILT else samples
        samples = reverberate(rng, samples) if rng.random() < REVERB else samples
        samples = add_noise(rng, samples, others, self.snr_db) if rng.random() < NOISE else samples
        samples = clip(rng, samples) if rng.random() < CLIP else samples
        samples = limit_band(rng, samples) if rng.random() < TELEPHONE else samples
        samples = (
            through_opus(rng, samples * np.float32(0.3 / max(np.abs(samples).max(), 0.3)))
            if rng.random() < OPUS
            else samples
        )
        return lose_packets(rng, samples) if rng.random() < LOSS else samples
