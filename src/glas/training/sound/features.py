"""The network's input: exactly the log-mel features that onnx-asr computes for a NeMo model when it recognises.

Shards keep them before normalisation, as bytes, so that noise can still be added and bands be cut while training.
`tests/unit/test_training_features.py` holds them against onnx-asr's own preprocessor.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from onnx_asr.preprocessors.numpy_preprocessor import NemoPreprocessorNumpy

Features = npt.NDArray[np.float32]

BANDS = 80
FRAMES_PER_S = 100
HOP_SAMPLES = 160
WINDOW_SAMPLES = 400
FFT_SAMPLES = 512
PRE_EMPHASIS = 0.97
LOG_FLOOR = float(2**-24)

BYTE_STEP = 0.1  # nepers; the rounding error, 0.03, is far below the spread of a band, about 2
BYTE_BASE = -17.0


@lru_cache(maxsize=1)
def _filters() -> tuple[Features, Features]:
    """Window (512,) and mel filters (257, 80), taken from onnx-asr so that there is one definition of them."""
    edge = (FFT_SAMPLES - WINDOW_SAMPLES) // 2
    window = np.pad(np.hanning(WINDOW_SAMPLES), (edge, edge)).astype(np.float32)
    filters = NemoPreprocessorNumpy("nemo80")._melscale_fbanks  # noqa: SLF001 (it has no public name)
    return window, filters.astype(np.float32)


def log_mel(samples: npt.NDArray[np.float32]) -> Features:
    """Log-mel energies (n // 160, 80) of samples (n,) at 16 kHz, not normalised."""
    window, filters = _filters()
    emphasised = samples - PRE_EMPHASIS * np.pad(samples, (1, 0))[:-1]
    padded = np.pad(emphasised, FFT_SAMPLES // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES] * window
    spectrum = np.abs(np.fft.rfft(frames, FFT_SAMPLES)).astype(np.float32) ** 2
    energies: Features = np.log(spectrum @ filters + LOG_FLOOR)[: len(samples) // HOP_SAMPLES]
    return energies


def normalise(features: Features) -> Features:
    """Features (t, 80) with mean 0 and deviation 1 in every band, as NeMo does it (n − 1 in the variance)."""
    deviation = features.std(axis=0, ddof=1) if len(features) > 1 else np.ones(features.shape[1], np.float32)
    return np.asarray((features - features.mean(axis=0)) / (deviation + 1e-5), np.float32)


def to_bytes(features: Features) -> npt.NDArray[np.uint8]:
    """Log-mel energies as bytes of 0.1 neper."""
    return np.clip(np.round((features - BYTE_BASE) / BYTE_STEP), 0, 255).astype(np.uint8)


def from_bytes(stored: npt.NDArray[np.uint8]) -> Features:
    """Log-mel energies from bytes."""
    return stored.astype(np.float32) * np.float32(BYTE_STEP) + np.float32(BYTE_BASE)
