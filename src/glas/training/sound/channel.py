"""Imitate what changes a voice before it is received: rooms, microphones, clipping, telephones, Opus, lost packets."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Frequencies = npt.NDArray[np.floating[Any]]

SAMPLE_RATE_HZ = 16_000
PACKET_SAMPLES = 320  # 20 ms


def resample(samples: Samples, ratio: float) -> Samples:
    """Resample samples, shape (n,), to about `ratio` times their rate, in the frequency domain.

    The lengths are rounded to numbers for which an FFT is fast.
    """
    padded = np.pad(samples, (0, -len(samples) % 1024))
    count = max(round(len(padded) * ratio / 256), 1) * 256
    spectrum = np.fft.rfft(padded)
    bins = count // 2 + 1
    spectrum = spectrum[:bins] if len(spectrum) >= bins else np.pad(spectrum, (0, bins - len(spectrum)))
    return (np.fft.irfft(spectrum, count) * (count / len(padded))).astype(np.float32)


@cache
def fast_length(count: int) -> int:
    """Return the smallest number, at least `count`, that has no prime factors except 2, 3 and 5.

    For such a number of samples, an FFT is fast. For an arbitrary number of samples, it takes about ten times as long.
    """
    threes_and_fives = (int(3**threes * 5**fives) for threes in range(12) for fives in range(9))
    return min(odd << max(-(-count // odd) - 1, 0).bit_length() for odd in threes_and_fives)


def level(samples: Samples) -> float:
    """Return the root mean square of the samples; the result is never zero, so that it can be a divisor."""
    return float(np.sqrt(np.mean(samples**2)) + 1e-9) if len(samples) else 1e-9


def reverberate(rng: np.random.Generator, samples: Samples) -> Samples:
    """Add the reverberation of a random room: the direct sound, and noise that decays exponentially."""
    decay_s = rng.uniform(0.05, 0.5)
    count = int(decay_s * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    tail[: int(rng.uniform(0.001, 0.012) * SAMPLE_RATE_HZ)] = 0
    tail *= 10 ** (-rng.uniform(-2, 14) / 20) / np.sqrt(np.sum(tail**2) + 1e-9)
    tail[0] = 1.0
    size = fast_length(len(samples) + count)
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)
    return wet * np.float32(level(samples) / level(wet))


def limit_band(rng: np.random.Generator, samples: Samples) -> Samples:
    """Limit the samples to a telephone band, whose soft edges are random: 50 to 330 Hz and 3200 to 4000 Hz."""
    low_hz, high_hz = rng.uniform(50, 330), rng.uniform(3200, 4000)
    steepness = rng.uniform(20, 60)
    return _filtered(
        samples,
        lambda hz: 1 / (1 + (low_hz / (hz + 1)) ** 8) / (1 + (hz / high_hz) ** steepness),
    )


def tilt(rng: np.random.Generator, samples: Samples) -> Samples:
    """Filter the samples like a random microphone: tilt the spectrum, and raise or lower two wide bands of it."""

    def gain(frequency_hz: Frequencies) -> Frequencies:
        octave = np.log2((frequency_hz + 60) / 1000)
        gain_db = rng.uniform(-3, 3) * octave
        for _ in range(2):
            gain_db += rng.uniform(-7, 7) * np.exp(-((octave - rng.uniform(-3, 3)) ** 2) / 0.8)
        return np.asarray(10 ** (gain_db / 20))

    return _filtered(samples, gain)


def _filtered(samples: Samples, gain: Callable[[Frequencies], Frequencies]) -> Samples:
    """Multiply the spectrum of samples, shape (n,), by a gain, which is a function of the frequencies in Hz."""
    count = fast_length(len(samples))
    spectrum = np.fft.rfft(samples, count) * gain(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ))
    return np.fft.irfft(spectrum, count)[: len(samples)].astype(np.float32)


def clip(rng: np.random.Generator, samples: Samples) -> Samples:
    """Limit the loudest 0.5 to 8 % of the samples, with a sharp limit (clipping) or a soft one."""
    limit = np.float32(np.quantile(np.abs(samples), 1 - rng.uniform(0.005, 0.08)) + 1e-6)
    return np.clip(samples, -limit, limit) if rng.random() < 0.5 else limit * np.tanh(samples / limit)


def lose_packets(rng: np.random.Generator, samples: Samples) -> Samples:
    """Remove packets of 20 ms: either a single packet, or several packets in a row.

    The gaps become silent, or the sound of the packet before the gap is repeated more and more quietly.

    The model of the losses has two states: a good state without losses, and a bad state in which all packets are lost
    (Gilbert, "Capacity of a burst-noise channel", 1960).
    """
    worse, better, echo = rng.uniform(0.005, 0.05), rng.uniform(0.3, 0.8), rng.choice((0.0, 0.5))
    heard, is_lost = samples.copy(), False
    for start in range(PACKET_SAMPLES, len(samples) - PACKET_SAMPLES, PACKET_SAMPLES):
        is_lost = rng.random() < (1 - better if is_lost else worse)
        if is_lost:
            heard[start : start + PACKET_SAMPLES] = heard[start - PACKET_SAMPLES : start] * np.float32(echo)
    return heard


def encode_opus(samples: Samples, bit_rate_bps: int) -> bytes:
    """Encode samples, shape (n,), at 16 kHz as an Ogg/Opus file, like a voice message."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono", options={"application": "voip"})
        stream.bit_rate = bit_rate_bps
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def decode_audio(source: io.BytesIO | str) -> Samples:
    """Decode an audio file with FFmpeg; return samples, shape `(n_samples,)`, at 16 kHz, mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(source, "r") as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([f.to_ndarray()[0] for f in frames]).astype(np.float32)


def through_opus(rng: np.random.Generator, samples: Samples) -> Samples:
    """Encode the samples with Opus at 8–32 kbit/s, and decode them."""
    decoded = decode_audio(io.BytesIO(encode_opus(samples, int(rng.integers(8_000, 32_000)))))
    return (
        decoded[: len(samples)] if len(decoded) >= len(samples) else np.pad(decoded, (0, len(samples) - len(decoded)))
    )
