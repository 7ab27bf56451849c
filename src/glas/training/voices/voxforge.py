"""Real readers: VoxForge-ru exists here as 13 telephone-band cepstra only; a learnt map brings them to our 80 bands.

The cepstra come from CMU's `sphinx_fe` at 8 kHz (15 mel filters 200–3500 Hz, 512-point FFT, lifter 22).  Undoing lifter
and cosine transform gives 15 smoothed log-mel bands.  `sphinx_bands` computes the same bands from audio, so that
synthetic speech seen through both front ends teaches the map: ridge regression from 7 frames of 15 bands to one frame
of 80.  The map also serves as a channel for synthetic speech, so that the network meets both kinds in one shape.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.training.sound.channel import resample
from glas.training.sound.features import BANDS, log_mel, normalise
from glas.training.texts.sentences import label

Array = npt.NDArray[np.float32]

SPHINX_BANDS, SPHINX_CEPSTRA = 15, 13
SPHINX_RATE_HZ, SPHINX_FFT, SPHINX_WINDOW, SPHINX_HOP = 8000, 512, 205, 80
SPHINX_LOW_HZ, SPHINX_HIGH_HZ = 200.0, 3500.0
LIFTER = 22
CONTEXT = 3  # frames on each side
RIDGE = 30.0  # against weights of one; thousands of frames stand against it

TEST_SPEAKER_ONE_IN = 10
TEST_TEXT_ONE_IN = 12
SAME_WORDS = 0.6  # of the shorter sentence: more in common, and two transcripts are of one sentence


@lru_cache(maxsize=1)
def sphinx_filters() -> Array:
    """Triangular mel filters (257, 15) of sphinx_fe: corners on the nearest FFT bin, unit area."""
    low_mel, high_mel = (float(2595 * np.log10(1 + f / 700)) for f in (SPHINX_LOW_HZ, SPHINX_HIGH_HZ))
    corners_mel = np.linspace(low_mel, high_mel, SPHINX_BANDS + 2)
    step_hz = SPHINX_RATE_HZ / SPHINX_FFT
    corners_hz = np.round(700 * (10 ** (corners_mel / 2595) - 1) / step_hz) * step_hz
    frequency_hz = np.arange(SPHINX_FFT // 2 + 1) * step_hz
    filters = np.zeros((len(frequency_hz), SPHINX_BANDS), np.float32)
    for band in range(SPHINX_BANDS):
        low, centre, high = corners_hz[band : band + 3]
        rise, fall = (frequency_hz - low) / (centre - low), (high - frequency_hz) / (high - centre)
        filters[:, band] = np.maximum(np.minimum(rise, fall), 0) * 2 / (high - low)
    return filters


@lru_cache(maxsize=1)
def cosines() -> Array:
    """Orthonormal cosine transform (13, 15): cepstra = cosines @ log-mel bands."""
    order, band = np.arange(SPHINX_CEPSTRA)[:, None], np.arange(SPHINX_BANDS)[None]
    matrix = np.cos(np.pi * order * (band + 0.5) / SPHINX_BANDS) * np.sqrt(2 / SPHINX_BANDS)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


def sphinx_bands(samples_16k: Array) -> Array:
    """The 15 smoothed log-mel bands (t, 15) of audio (n,) at 16 kHz, as sphinx_fe's cepstra would give them back."""
    samples = resample(samples_16k, 0.5)
    emphasised = samples - 0.97 * np.pad(samples, (1, 0))[:-1]
    count = len(samples_16k) // 160
    padded = np.pad(emphasised, (0, SPHINX_WINDOW + SPHINX_HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SPHINX_WINDOW)[::SPHINX_HOP][:count] * np.hamming(
        SPHINX_WINDOW
    )
    spectrum = np.abs(np.fft.rfft(frames, SPHINX_FFT)).astype(np.float32) ** 2
    return np.asarray(np.log(spectrum @ sphinx_filters() + 1e-8) @ cosines().T @ cosines(), np.float32)


def bands_of_cepstra(cepstra: Array) -> Array:
    """The 15 smoothed log-mel bands (t, 15) behind liftered cepstra (t, 13)."""
    lifter = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(SPHINX_CEPSTRA) / LIFTER)
    return np.asarray(cepstra / lifter @ cosines(), np.float32)


def with_context(bands: Array) -> Array:
    """Each frame with its neighbours and a one: (t, 7·15 + 1)."""
    padded = np.pad(bands, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * CONTEXT + 1, axis=0)
    return np.concatenate([window.reshape(len(bands), -1), np.ones((len(bands), 1), np.float32)], axis=1)


def ridge(inputs: npt.NDArray[np.float64], targets: npt.NDArray[np.float64]) -> Array:
    """Weights (a, b) that best take inputs (t, a) to targets (t, b)."""
    gram = inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(gram, inputs.T @ targets), np.float32)


class BandMap:
    """From 15 telephone bands to our 80: normalise per utterance, ridge regression, back to a typical loudness.

    `narrow` (80, 80) is the way there and back in one step: it makes of normalised 80-band features of any speech
    about what the map would have made of it, had it come as 15 bands.
    """

    def __init__(self, weights: Array, mean: Array, deviation: Array, narrow: Array) -> None:
        self.weights, self.mean, self.deviation, self.narrow = weights, mean, deviation, narrow

    @classmethod
    def learn(cls, utterances: list[Array]) -> "BandMap":
        """Learn from clean utterances (n,) at 16 kHz."""
        inputs = np.concatenate([with_context(normalise(sphinx_bands(u))) for u in utterances]).astype(np.float64)
        energies = [log_mel(u) for u in utterances]
        targets = np.concatenate([normalise(e) for e in energies]).astype(np.float64)
        weights = ridge(inputs, targets)
        explained = 1 - np.var(targets - inputs @ weights, axis=0)
        print(f"map: variance explained in bands 0–59: {explained[:60].mean():.3f}, 60–79: {explained[60:].mean():.3f}")
        mean = np.mean([e.mean(axis=0) for e in energies], axis=0)
        deviation = np.mean([e.std(axis=0) for e in energies], axis=0)
        band_map = cls(weights, mean.astype(np.float32), deviation.astype(np.float32), np.eye(BANDS, dtype=np.float32))
        mapped = np.concatenate([normalise(band_map(sphinx_bands(u))) for u in utterances])
        band_map.narrow = ridge(targets, mapped.astype(np.float64))
        return band_map

    def __call__(self, bands: Array) -> Array:
        """Log-mel energies (t, 80) in place of bands (t, 15)."""
        return normalise(with_context(normalise(bands)) @ self.weights) * self.deviation + self.mean

    def save(self, path: Path) -> None:
        """Keep the map in a file."""
        np.savez(path, weights=self.weights, mean=self.mean, deviation=self.deviation, narrow=self.narrow)

    @classmethod
    def load(cls, path: Path) -> "BandMap":
        """The map from a file."""
        kept = np.load(path)
        if kept["weights"].shape[1] != BANDS:
            raise ValueError(f"expected a map to {BANDS} bands, got {kept['weights'].shape}")
        return cls(kept["weights"], kept["mean"], kept["deviation"], kept["narrow"])


class Withheld:
    """Sentences kept out of training, however a transcript spells them: most of their words in common is the same."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words = [frozenset(text.split()) for text in texts]
        self._seen: dict[str, bool] = {}

    def __contains__(self, text: str) -> bool:
        if text not in self._seen:
            words = frozenset(text.split())
            self._seen[text] = any(
                len(words & other) > SAME_WORDS * min(len(words), len(other)) for other in self._words
            )
        return self._seen[text]


def _in_test(name: str, one_in: int) -> bool:
    return int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % one_in == 0


def read_voxforge(folder: Path, withheld: Iterable[str] = ()) -> list[tuple[str, str, str, Array]]:
    """Utterances as (side, speaker, label text, bands (t, 15)).

    The side is "train", "test" (new speaker and new text) or "unused" (only one of them new).  Nobody's reading of a
    sentence that is like one of the `withheld` label texts is for training.
    """
    known = Withheld(withheld)
    kept = np.load(folder / "voxforge_ru_mfcc_train.npz")
    features, mean, deviation = kept["feats"], kept["mean"], kept["std"]
    utterances = []
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        stored = features[record["offset"] : record["offset"] + record["frames"]]
        cepstra = (stored.astype(np.float32) - 127.5) / 25.5 * deviation + mean
        speaker, text = record["speaker"], label(record["text"])
        sides = {(True, True): "test", (False, False): "train"}
        side = sides.get((_in_test(speaker, TEST_SPEAKER_ONE_IN), _in_test(text, TEST_TEXT_ONE_IN)), "unused")
        side = "unused" if side == "train" and text in known else side
        utterances.append((side, speaker, text, bands_of_cepstra(cepstra)))
    return utterances
