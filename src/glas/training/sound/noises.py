"""Make noises: voices, wind, streets, clicks, hum, chords, hiss.

Functions with an argument `count` return samples at 16 kHz, shape `(count,)`. The root mean square of each noise is 1.
"""

from collections.abc import Sequence

import numpy as np

from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples, fast_length, level


def coloured_noise(rng: np.random.Generator, count: int, slope: float) -> Samples:
    """Make noise whose power is proportional to frequency^-slope: 0 is white, 1 pink, 2 brown."""
    length = fast_length(count)
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum *= (np.arange(len(spectrum)) + 5.0) ** (-slope / 2)
    noise: Samples = np.fft.irfft(spectrum, length)[:count].astype(np.float32)
    return noise / np.float32(level(noise))


def hum(rng: np.random.Generator, count: int) -> Samples:
    """Make mains hum with harmonics and a little hiss."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    base_hz = rng.choice((50.0, 60.0, 100.0)) * rng.uniform(0.99, 1.01)
    waves = [
        np.sin(2 * np.pi * base_hz * k * time_s + rng.uniform(0, 6)) / k ** rng.uniform(0.3, 1.5) for k in range(1, 12)
    ]
    tone = np.sum(waves, axis=0).astype(np.float32)
    return np.asarray(tone / level(tone) + 0.1 * coloured_noise(rng, count, 0.5), np.float32)


def tones(rng: np.random.Generator, count: int) -> Samples:
    """Make music-like sound: changing chords with harmonics."""
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


def babble(rng: np.random.Generator, count: int, others: Sequence[Samples]) -> Samples:
    """Mix several of the clips `others` into background voices; if there are no clips, return pink noise."""
    out = np.zeros(count, np.float32)
    for _ in range(rng.integers(1, 5)):
        if others:
            voice = others[int(rng.integers(len(others)))]
            repeated = np.tile(voice, count // len(voice) + 2)
            start = rng.integers(len(voice))
            out += repeated[start : start + count]
    return out / np.float32(level(out)) if others else coloured_noise(rng, count, 1)


def swelling(rng: np.random.Generator, noise: Samples, every_s: float, depth_db: float) -> Samples:
    """Vary the level of `noise` by up to `depth_db` decibels, with a new random level every `every_s` seconds."""
    knots = 10 ** (-rng.uniform(0, depth_db, int(len(noise) / SAMPLE_RATE_HZ / every_s) + 2) / 20)
    where = np.arange(len(noise)) / (SAMPLE_RATE_HZ * every_s)
    swollen = (noise * np.interp(where, np.arange(len(knots)), knots)).astype(np.float32)
    return swollen / np.float32(level(swollen))


def wind(rng: np.random.Generator, count: int) -> Samples:
    """Make the noise of wind on a microphone: a rumble that comes in gusts."""
    return swelling(rng, coloured_noise(rng, count, rng.uniform(2, 3.5)), rng.uniform(0.15, 1.0), 30)


def street(rng: np.random.Generator, count: int) -> Samples:
    """Make the noise of a street: distant traffic and single cars that pass."""
    sound = coloured_noise(rng, count, 1.2) * np.float32(0.4)
    for _ in range(rng.integers(1, 4)):
        length = min(int(rng.uniform(1, 4) * SAMPLE_RATE_HZ), count)
        start = rng.integers(0, count - length + 1)
        car = coloured_noise(rng, length, rng.uniform(0.8, 2)) * np.hanning(length).astype(np.float32)
        sound[start : start + length] += car * np.float32(rng.uniform(0.5, 2))
    return sound / np.float32(level(sound))


def clicks(rng: np.random.Generator, count: int) -> Samples:
    """Make clicks and knocks over a faint hiss: short decaying bursts."""
    sound = coloured_noise(rng, count, 0.5) * np.float32(0.02)
    for start in rng.integers(0, count, 1 + rng.poisson(rng.uniform(1, 10) * count / SAMPLE_RATE_HZ)):
        length = min(int(rng.uniform(0.001, 0.015) * SAMPLE_RATE_HZ), count - start)
        burst = rng.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        sound[start : start + length] += (burst * rng.uniform(0.3, 1)).astype(np.float32)
    return sound / np.float32(level(sound))


def any_noise(rng: np.random.Generator, count: int, others: Sequence[Samples]) -> Samples:
    """Make one random kind of noise; `others` are clips that are used as background voices."""
    kind = rng.integers(10)
    if kind < 3:
        return babble(rng, count, others)
    if kind < 5:
        return coloured_noise(rng, count, rng.uniform(0, 2))
    return (hum, tones, wind, street, clicks)[kind - 5](rng, count)


def add_noise(
    rng: np.random.Generator, samples: Samples, others: Sequence[Samples], snr_db: tuple[float, float]
) -> Samples:
    """Add one random kind of noise to the samples, at a random signal-to-noise ratio in the range `snr_db`."""
    noise = any_noise(rng, len(samples), others)
    return samples + noise * np.float32(level(samples) * 10 ** (-rng.uniform(*snr_db) / 20))
