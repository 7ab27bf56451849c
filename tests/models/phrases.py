"""A tiny Whisper that was trained on four spoken phrases only, and never on sounds without speech."""

from io import BytesIO
from itertools import product

import numpy as np
from tokenizers import Tokenizer

from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.training.sound.channel import decode_audio, encode_opus
from glas.training.voices.speaking_style import SpeakingStyle
from tests.models.tiny_tokens import make_tokenizer
from tests.models.tiny_whisper import POSITIONS, Example, Whisper, fit
from tests.speech import say_all

# Two that recognisers invent, and two that nobody knows for it.
INVENTED = ("Спасибо за просмотр!", "Продолжение следует...")
PHRASES = (*INVENTED, "Перезвони мне завтра утром.", "Купи хлеба и молока.")

VOICES = ("f1", "f3", "f5", "m1", "m2", "m4", "m7", "f4", "Andrea", "Michael", "boris", "linda")
TAKES = 4
STEPS = 400
BATCH = 16


def train(*, seed: int = 0) -> tuple[Whisper, Tokenizer]:
    """Train on the phrases in many styles, without padding, and on no sound without speech."""
    rng = np.random.default_rng(seed)
    sayings = [
        (text, SpeakingStyle(voice, int(rng.integers(110, 200)), int(rng.integers(30, 70))))
        for text, voice, _ in product(PHRASES, VOICES, range(TAKES))
    ]
    spoken = []
    for number, ((text, _), sound) in enumerate(zip(sayings, say_all(sayings), strict=True)):
        heard = decode_audio(BytesIO(encode_opus(sound, 16_000))) if number % 2 else sound
        spoken.append(Example(heard, text, "ru"))
    tokenizer = make_tokenizer([f" {text}" for text in PHRASES])

    def draw(_step: int, rng: np.random.Generator) -> tuple[list[Example], int]:
        chosen = [_noisy(spoken[number], rng) for number in rng.integers(0, len(spoken), BATCH)]
        longest = max(len(one.samples) for one in chosen) // 160
        return chosen, min(longest // 2 * 2, 2 * POSITIONS)

    return fit(tokenizer, draw, steps=STEPS, seed=seed), tokenizer


def _noisy(one: Example, rng: np.random.Generator) -> Example:
    """Add silence before the phrase, faint or loud noise, and distance, in 16 bits."""
    before = np.zeros(int(rng.uniform(0, 0.4) * SAMPLE_RATE_HZ), np.float32)
    sound = np.concatenate((before, one.samples))
    noise = rng.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** rng.uniform(-5, -2.3))
    heard = (sound + noise) * np.float32(10 ** rng.uniform(-2, 0.2))
    return one._replace(samples=np.round(heard * 32768) / np.float32(32768))
