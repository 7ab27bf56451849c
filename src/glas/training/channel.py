"""What happens to a voice on its way: resampling, rooms, noises, telephone band, Opus.  All with numpy, all by seed."""

import io

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000


def resample(samples: Samples, ratio: float) -> Samples:
    """`samples` (n,) at about `ratio` times their rate, through the spectrum; lengths suit the FFT."""
    padded = np.pad(samples, (0, -len(samples) % 1024))
    count = max(round(len(padded) * ratio / 256), 1) * 256
    spectrum = np.fft.rfft(padded)
    bins = count // 2 + 1
    spectrum = spectrum[:bins] if len(spectrum) >= bins else np.pad(spectrum, (0, bins - len(spectrum)))
    return (np.fft.irfft(spectrum, count) * (count / len(padded))).astype(np.float32)


def level(samples: Samples) -> float:
    """Root mean square of the samples, never zero."""
    return float(np.sqrt(np.mean(samples**2)) + 1e-9) if len(samples) else 1e-9


def coloured_noise(rng: np.random.Generator, count: int, slope: float) -> Samples:
    """Noise (count,) whose power falls by frequency^slope: 0 white, 1 pink, 2 brown; level 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum *= (np.arange(len(spectrum)) + 5.0) ** (-slope / 2)
    noise: Samples = np.fft.irfft(spectrum, count).astype(np.float32)
    return noise / np.float32(level(noise))


def hum(rng: np.random.Generator, count: int) -> Samples:
    """Mains hum with harmonics and a little hiss (count,), level about 1."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    base_hz = rng.choice((50.0, 60.0, 100.0)) * rng.uniform(0.99, 1.01)
    waves = [
        np.sin(2 * np.pi * base_hz * k * time_s + rng.uniform(0, 6)) / k ** rng.uniform(0.3, 1.5) for k in range(1, 12)
    ]
    tone = np.sum(waves, axis=0).astype(np.float32)
    return np.asarray(tone / level(tone) + 0.1 * coloured_noise(rng, count, 0.5), np.float32)


def tones(rng: np.random.Generator, count: int) -> Samples:
    """Something like music: chords that change, with harmonics (count,), level about 1."""
    out = np.zeros(count, np.float32)
    position = 0
    while position < count:
        length = min(int(rng.uniform(0.1, 0.8) * SAMPLE_RATE_HZ), count - position)
        time_s = np.arange(length) / SAMPLE_RATE_HZ
        for _ in range(rng.integers(1, 4)):
            pitch_hz = 110 * 2 ** (rng.integers(0, 40) / 12)
            shape = np.exp(-time_s * rng.uniform(0.5, 6))
            for k in range(1, 5):
                out[position : position + length] += (shape * np.sin(2 * np.pi * pitch_hz * k * time_s) / k).astype(
                    np.float32
                )
        position += length
    return out / np.float32(level(out))


def babble(rng: np.random.Generator, count: int, others: list[Samples]) -> Samples:
    """Several earlier utterances at once (count,), level 1; pink noise while there are none."""
    out = np.zeros(count, np.float32)
    for _ in range(rng.integers(1, 5)):
        if others:
            voice = others[rng.integers(len(others))]
            repeated = np.tile(voice, count // len(voice) + 2)
            start = rng.integers(len(voice))
            out += repeated[start : start + count]
    return out / np.float32(level(out)) if others else coloured_noise(rng, count, 1)


def add_noise(
    rng: np.random.Generator, samples: Samples, others: list[Samples], snr_db: tuple[float, float]
) -> Samples:
    """The samples with one kind of noise at a signal-to-noise ratio drawn from the range."""
    kind = rng.integers(6)
    count = len(samples)
    noise = (
        babble(rng, count, others)
        if kind < 2
        else hum(rng, count)
        if kind == 2
        else tones(rng, count)
        if kind == 3
        else coloured_noise(rng, count, rng.uniform(0, 2))
    )
    return samples + noise * np.float32(level(samples) * 10 ** (-rng.uniform(*snr_db) / 20))


def reverberate(rng: np.random.Generator, samples: Samples) -> Samples:
    """The samples in a simple random room: a direct path and an exponentially decaying tail of noise."""
    decay_s = rng.uniform(0.05, 0.5)
    count = int(decay_s * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    tail[: int(rng.uniform(0.001, 0.012) * SAMPLE_RATE_HZ)] = 0
    tail *= 10 ** (-rng.uniform(-2, 14) / 20) / np.sqrt(np.sum(tail**2) + 1e-9)
    tail[0] = 1.0
    size = len(samples) + count
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)
    return wet * np.float32(level(samples) / level(wet))


def limit_band(rng: np.random.Generator, samples: Samples) -> Samples:
    """The samples through a telephone: 300–3400 Hz or the whole band up to 4 kHz, with soft edges."""
    low_hz, high_hz = rng.uniform(50, 330), rng.uniform(3200, 4000)
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    gain = 1 / (1 + (low_hz / (frequency_hz + 1)) ** 8) / (1 + (frequency_hz / high_hz) ** rng.uniform(20, 60))
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def tilt(rng: np.random.Generator, samples: Samples) -> Samples:
    """The samples through a random gentle microphone: a slope and two broad bumps in the spectrum."""
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    octave = np.log2((frequency_hz + 60) / 1000)
    gain_db = rng.uniform(-3, 3) * octave
    for _ in range(2):
        gain_db += rng.uniform(-7, 7) * np.exp(-((octave - rng.uniform(-3, 3)) ** 2) / 0.8)
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (gain_db / 20), len(samples)).astype(np.float32)


def encode_opus(samples: Samples, bit_rate_bps: int) -> bytes:
    """An Ogg/Opus file (voice message) of samples (n,) at 16 kHz."""
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
    """Samples (n,) at 16 kHz, mono, of any audio file that FFmpeg reads."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(source, "r") as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([f.to_ndarray()[0] for f in frames]).astype(np.float32)


def through_opus(rng: np.random.Generator, samples: Samples) -> Samples:
    """The samples as a voice message hands them on: Opus at 10–32 kbit/s and back."""
    decoded = decode_audio(io.BytesIO(encode_opus(samples, int(rng.integers(10_000, 32_000)))))
    return (
        decoded[: len(samples)] if len(decoded) >= len(samples) else np.pad(decoded, (0, len(samples) - len(decoded)))
    )
