"""Whisper's input: the log-mel spectrogram of openai/whisper (`audio.py`), computed for the length of the sound only.

openai/whisper first pads every sound with zeros to 30 s. All frames of zeros are equal, so these frames are not
computed here. If a model needs these frames, `filled` appends them. The result is then equal to that of openai/whisper.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

Features = npt.NDArray[np.float32]

FRAMES_PER_S = 100
# The encoder's second convolution makes one position of this number of frames.
FRAMES_PER_POSITION = 2
HOP_SAMPLES = SAMPLE_RATE_HZ // FRAMES_PER_S
WINDOW_SAMPLES = 400

# Energies are clamped to 1e-10 and to eight decades below the loudest, then brought to about -1..1.
_FLOOR = -10.0
_DECADES = 8.0

# Products of this size are computed in one thread of OpenBLAS. Several threads would need ten times the processor time,
# because they wait for each other (measured: 10 ms instead of 0.7 ms for 3 s of sound, on two cores).
_BLOCK_FRAMES = 16


@lru_cache(maxsize=2)
def _filters(n_mels: int) -> tuple[Features, Features]:
    """Return the window of the Fourier transform, and the mel filters on Slaney's mel scale from 0 to 8 kHz.

    The window has the shape (400,). The mel filters have the shape (n_mels, 201).
    Slaney's mel scale ("Auditory Toolbox", 1998) is linear up to 1 kHz, with 3 mels per 200 Hz. Above 1 kHz the scale
    is logarithmic: 27 mels are a factor of 6.4 in frequency. Each filter is a triangle with the area 1.
    The mel filters are the same as those of `librosa.filters.mel(sr=16000, n_fft=400, n_mels=n_mels)`.
    """
    bend_hz, bend_mel = 1000, 15
    octaves = np.log(6.4) / 27
    top_mel = bend_mel + np.log(SAMPLE_RATE_HZ / 2 / bend_hz) / octaves
    mels = np.linspace(0, top_mel, n_mels + 2)
    edges_hz = np.where(mels < bend_mel, mels * bend_hz / bend_mel, bend_hz * np.exp((mels - bend_mel) * octaves))
    bins_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE_HZ)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    area = 2 / (edges_hz[2:] - edges_hz[:-2])
    filters = np.maximum(0, np.minimum(rising, falling)) * area[:, None]
    return np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32), filters.astype(np.float32)


def log_mel(samples: Samples, n_mels: int) -> tuple[Features, float]:
    """Compute the spectrogram of a sound that is followed by silence.

    Args:
        samples: shape `(n_samples,)`, 16 kHz.
        n_mels: number of mel bands; 80, or 128 for the large-v3 family.

    Returns:
        The features, and a number. The features have the shape `(n_mels, n_frames)`; there is one frame every 10 ms, as
        long as frames overlap the sound. The number is the value of all features in the silence after the sound.
    """
    window, filters = _filters(n_mels)
    half = WINDOW_SAMPLES // 2
    n_frames = (len(samples) + half - 1) // HOP_SAMPLES + 1
    n_blocks = -(-n_frames // _BLOCK_FRAMES)
    # openai/whisper pads the beginning with a reflection of the sound. At the end it reflects silence, which is
    # silence, too.
    behind = np.zeros(n_blocks * _BLOCK_FRAMES * HOP_SAMPLES + half - len(samples), np.float32)
    sound = np.concatenate((samples[half:0:-1], samples, behind))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(frames * window).astype(np.complex64, copy=False)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    blocks = power[: n_blocks * _BLOCK_FRAMES].reshape(n_blocks, _BLOCK_FRAMES, -1)
    energies = (blocks @ filters.T).reshape(-1, n_mels)[:n_frames].T
    logs = np.log10(np.maximum(energies, np.float32(10**_FLOOR)))
    lowest = max(float(logs.max(initial=_FLOOR)) - _DECADES, _FLOOR)
    features: Features = (np.maximum(logs, np.float32(lowest)) + np.float32(4)) / np.float32(4)
    return features, (lowest + 4) / 4


def filled(features: Features, silence: float, n_frames: int) -> Features:
    """Return exactly `n_frames` frames, cut or padded with silence; shape `(n_mels, n_frames)`."""
    missing = n_frames - features.shape[1]
    if missing <= 0:
        return features[:, :n_frames]
    return np.pad(features, ((0, 0), (0, missing)), constant_values=np.float32(silence))
