"""Make sounds without speech from random numbers: noise, music, silence, tones, clicks, hum, babble without words.

All sounds are mono with 16 kHz. The functions for single kinds of sound return `count` samples.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
Rng = np.random.Generator

RATE_HZ = 16_000
_KEY_S = 0.15  # duration of the tone of a telephone key, and of the silence after the tone
_HALF = 0.5


def clips(count: int, seconds: float, seed: int = 0) -> Iterator[tuple[str, Sound]]:
    """Yield `count` clips: pairs of the kind of sound, and samples of shape `(n_samples,)` in -1..1.

    All kinds are used in turn, at random levels. The same `seed` gives the same clips.
    """
    kinds = sorted(KINDS)
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        kind = kinds[number % len(kinds)]
        sound = KINDS[kind](rng, int(seconds * RATE_HZ))
        if kind != "silence":
            sound = sound / (np.abs(sound).max() + 1e-9) * 10 ** (-rng.uniform(1, 45) / 20)
        yield kind, sound.astype(np.float32)


def _coloured(rng: Rng, count: int, slope: float) -> Sound:
    """Make noise whose power is proportional to frequency^-slope (0: white, 1: pink, 2: brown).

    The standard deviation of the noise is 1.
    """
    spectrum = np.fft.rfft(rng.standard_normal(count)) * (np.arange(count // 2 + 1) + 3.0) ** (-slope / 2)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / noise.std(), np.float32)


def _band(noise: Sound, low_hz: float, high_hz: float) -> Sound:
    frequencies = np.fft.rfftfreq(len(noise), 1 / RATE_HZ)
    kept = np.fft.rfft(noise) * ((frequencies >= low_hz) & (frequencies <= high_hz))
    return np.asarray(np.fft.irfft(kept, len(noise)), np.float32)


def _slow(rng: Rng, count: int, fastest_hz: float) -> Sound:
    """Make a random curve between 0 and 1 that contains no frequencies above `fastest_hz`."""
    curve = _band(rng.standard_normal(count).astype(np.float32), 0, fastest_hz)
    return np.asarray((curve - curve.min()) / (np.ptp(curve) + 1e-9), np.float32)


def _seconds(count: int) -> npt.NDArray[np.float64]:
    return np.arange(count) / RATE_HZ


def noise(rng: Rng, count: int) -> Sound:
    """Make steady noise of any colour, like a fan, a hiss or a distant road."""
    return _coloured(rng, count, rng.uniform(0, 2.5))


def wind(rng: Rng, count: int) -> Sound:
    """Make a sound like gusts of wind that blow into a microphone."""
    return _band(_coloured(rng, count, 2), 10, 600) * (0.05 + _slow(rng, count, 1.5) ** 2)


def hum(rng: Rng, count: int) -> Sound:
    """Make a hum like that of the mains current or of a motor, with harmonics of slightly varying pitch."""
    base_hz = rng.choice((50.0, 60.0, 100.0, rng.uniform(70, 140)))
    phase = 2 * np.pi * np.cumsum(base_hz * (1 + 0.01 * _slow(rng, count, 3))) / RATE_HZ
    strengths = rng.uniform(0.1, 1, 15)
    harmonics = [strength * np.sin(k * phase) / k for k, strength in enumerate(strengths, 1)]
    return np.asarray(np.sum(harmonics, axis=0) + 0.05 * _coloured(rng, count, 1), np.float32)


def tones(rng: Rng, count: int) -> Sound:
    """Make a dial tone, the tones of telephone keys, a sweep or a siren."""
    time_s = _seconds(count)
    match rng.integers(4):
        case 0:
            sound = np.sin(2 * np.pi * 425 * time_s) * (np.sin(2 * np.pi * time_s / rng.uniform(0.7, 5)) > 0)
        case 1:
            pressed = (time_s % 0.3) < _KEY_S
            rows, columns = rng.choice([697, 770, 852, 941], 64), rng.choice([1209, 1336, 1477], 64)
            index = (time_s / 0.3).astype(int) % 64
            sound = pressed * (np.sin(2 * np.pi * rows[index] * time_s) + np.sin(2 * np.pi * columns[index] * time_s))
        case 2:
            low, high = rng.uniform(50, 300), rng.uniform(2000, 7000)
            sound = np.sin(2 * np.pi * np.cumsum(np.geomspace(low, high, count)) / RATE_HZ)
        case _:
            swing_hz = 900 + 400 * np.sin(2 * np.pi * time_s * rng.uniform(0.3, 4))
            sound = np.sin(2 * np.pi * np.cumsum(swing_hz) / RATE_HZ)
    return np.asarray(sound, np.float32)


def clicks(rng: Rng, count: int) -> Sound:
    """Make clicks like those of keys, steps or knocks: short bursts of noise, with faint background noise."""
    sound = 0.003 * _coloured(rng, count, 1)
    gap_s = rng.uniform(0.08, 0.8)
    at_s = 0.1
    while (start := int(at_s * RATE_HZ)) < count:
        length = min(int(rng.uniform(0.004, 0.06) * RATE_HZ), count - start)
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        sound[start : start + length] += (burst * rng.uniform(0.3, 1)).astype(np.float32)
        at_s += gap_s if rng.random() < _HALF else rng.exponential(gap_s) + 0.02
    return sound


def _note(rng: Rng, pitch_hz: float, count: int) -> Sound:
    time_s = _seconds(count)
    vibrato = 1 + rng.choice((0, 0.006)) * np.sin(2 * np.pi * 5.5 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz * vibrato) / RATE_HZ
    decay = np.exp(-time_s * rng.uniform(0.3, 6)) * np.minimum(time_s / 0.01, 1)
    return np.asarray(decay * sum(np.sin(k * phase) / k ** rng.uniform(0.8, 2) for k in range(1, 9)), np.float32)


def music(rng: Rng, count: int) -> Sound:
    """Make a melody like that of a plucked or bowed string, with or without a drum."""
    sound = np.zeros(count, np.float32)
    beat = int(rng.uniform(0.25, 0.6) * RATE_HZ)
    root = 110 * 2 ** (rng.integers(0, 12) / 12)
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    has_drum = rng.random() < _HALF
    for start in range(0, count, beat):
        length = min(int(beat * rng.choice((1, 1, 2))), count - start)
        chord = rng.choice((0, 5, 7))
        for step, loudness in ((chord, 0.4), (chord + 4, 0.3), (chord + 7, 0.3), (12 + rng.choice(scale), 1.0)):
            sound[start : start + length] += loudness * _note(rng, root * 2 ** (step / 12), length)
        if has_drum:
            hit = min(int(0.1 * RATE_HZ), count - start)
            thump = rng.standard_normal(hit) * np.exp(-np.arange(hit) / (hit / 6))
            sound[start : start + hit] += thump.astype(np.float32)
    return sound


def silence(rng: Rng, count: int) -> Sound:
    """Make silence: samples that are all zero, or the hiss of a microphone at a level far below that of a voice."""
    loudness = rng.choice((0.0, 1e-5, 1e-4, 1e-3))
    return np.asarray(loudness * _coloured(rng, count, rng.uniform(0, 1)), np.float32)


def crowd(rng: Rng, count: int) -> Sound:
    """Make a sound like a crowd: noise in the frequency bands of voices, with the rhythm of syllables."""
    sound = np.zeros(count, np.float32)
    for _ in range(12):
        centre_hz = rng.uniform(200, 3500)
        band = _band(_coloured(rng, count, 1), centre_hz * 0.85, centre_hz * 1.15)
        sound += band / (band.std() + 1e-9) * _slow(rng, count, rng.uniform(2, 6)) ** 2 / centre_hz**0.5
    return sound


def humming(rng: Rng, count: int) -> Sound:
    """Make a sound like a voice that hums one vowel with a rising and falling pitch.

    Of all kinds of sounds in this module, speech detectors most often report humming as speech.
    """
    pitch_hz = rng.uniform(90, 260) * 2 ** (0.8 * (_slow(rng, count, 1.5) - 0.5))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    pulses = np.sum([np.sin(k * phase) / k for k in range(1, 25)], axis=0)
    frequencies = np.fft.rfftfreq(count, 1 / RATE_HZ)
    formants = ((rng.uniform(250, 800), 80), (rng.uniform(900, 2200), 120), (rng.uniform(2300, 3000), 160))
    gain = np.sum([1 / (1 + ((frequencies - centre) / width) ** 2) for centre, width in formants], axis=0)
    return np.asarray(np.fft.irfft(np.fft.rfft(pulses) * gain, count) * _slow(rng, count, 3), np.float32)


def rustle(rng: Rng, count: int) -> Sound:
    """Make a rustle like that of cloth or paper that touches a microphone, or like that of a bag."""
    return _band(_coloured(rng, count, 0), 1000, 7900) * _slow(rng, count, 12) ** 4 + clicks(rng, count) * 0.3


KINDS: dict[str, Callable[[Rng, int], Sound]] = {
    one.__name__: one for one in (noise, wind, hum, tones, clicks, music, silence, crowd, humming, rustle)
}
