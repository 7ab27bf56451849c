"""A tiny Whisper that recognises chords as words, in Russian or in English, as the caller requests."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from tests.models.tiny_tokens import make_tokenizer
from tests.models.tiny_whisper import POSITIONS, Example, Whisper, fit

WORDS = {
    "ru": ("мама", "ёжик", "хлеб", "объезд", "двадцать", "чай"),
    "en": ("mother", "hedgehog", "bread", "detour", "twenty", "tea"),
}
CHORDS_HZ = ((300, 1200), (400, 1600), (500, 2100), (600, 2700), (350, 3300), (750, 1900))
MOST_WORDS = 4
STEPS = 400
BATCH = 16

WORD_S = 0.3
GAP_S = 0.2


class Spoken(NamedTuple):
    """A sound, the numbers of its words, and the times in seconds at which each word begins and ends."""

    samples: Samples
    said: tuple[int, ...]
    times_s: tuple[tuple[float, float], ...]

    def text(self, language: str) -> str:
        return " ".join(WORDS[language][number] for number in self.said)


def speak(said: npt.ArrayLike, rng: np.random.Generator) -> Spoken:
    """Say words, by number, with pauses of random length, over faint noise."""
    sound: list[Samples] = []
    times = []
    place = 0
    numbers = [int(number) for number in np.asarray(said)]
    for number in numbers:
        gap = round(GAP_S * rng.uniform(0.6, 1.6) * SAMPLE_RATE_HZ)
        length = round(WORD_S * rng.uniform(0.85, 1.2) * SAMPLE_RATE_HZ)
        t = np.arange(length) / SAMPLE_RATE_HZ
        chord = sum(np.sin(2 * math.pi * hz * t + rng.uniform(0, 6)) for hz in CHORDS_HZ[number])
        envelope = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
        sound += [np.zeros(gap, np.float32), (0.12 * rng.uniform(0.7, 1.3) * chord * envelope).astype(np.float32)]
        times.append(((place + gap) / SAMPLE_RATE_HZ, (place + gap + length) / SAMPLE_RATE_HZ))
        place += gap + length
    sound.append(
        np.zeros(round(GAP_S * rng.uniform(0.6, 1.6) * SAMPLE_RATE_HZ) + (0 if numbers else 16_000), np.float32)
    )
    samples = np.concatenate(sound)
    samples += 0.002 * rng.standard_normal(len(samples)).astype(np.float32)
    return Spoken(samples, tuple(numbers), tuple(times))


def train(*, seed: int = 0) -> tuple[Whisper, Tokenizer]:
    """Train on random sentences in both languages, with and without padding, and on noise without words."""
    tokenizer = make_tokenizer([f" {word}" for words in WORDS.values() for word in words])

    def draw(step: int, rng: np.random.Generator) -> tuple[list[Example], int]:
        n_words = int(rng.integers(1, MOST_WORDS + 1))
        examples = [_example(rng, 0 if index == 0 else n_words) for index in range(BATCH)]
        longest = max(len(one.samples) for one in examples) // 160
        fills_window = step % 6 == 0
        return examples, 2 * POSITIONS if fills_window else max(200, (longest + int(rng.integers(0, 60))) // 2 * 2)

    return fit(tokenizer, draw, steps=STEPS, seed=seed), tokenizer


def _example(rng: np.random.Generator, most: int) -> Example:
    """A sentence of `most` words or one less; no words, if none."""
    language = str(rng.choice(sorted(WORDS)))
    spoken = speak(rng.integers(0, len(CHORDS_HZ), int(rng.integers(max(1, most - 1), most + 1)) if most else 0), rng)
    return Example(spoken.samples, spoken.text(language), language)
