"""Make synthetic speech for training: sentences with random voices, pitches and speeds, in shards of clips."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples, level, resample
from glas.training.sound.clips import clip_shards, open_clips, write_clips
from glas.training.texts.loanwords import sentence_with_name
from glas.training.voices.espeak import Espeak
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.speaking_style import SpeakingStyle, Synthesiser

NAMES = 0.05  # share of the clips that say a name written in Latin letters
SENTENCES = (0.70, 0.22, 0.08)  # shares of clips with one, two and three sentences
RATE_WPM, PITCH, PITCH_RANGE = (120, 215), (15, 85), (20, 90)
WARP = (0.88, 1.14)  # resampling: moves formants, pitch and tempo together
PAUSE_S = (0.02, 0.40)  # of silence before and after the speech
DURATION_S = (0.7, 15.0)
LEVEL = 0.1  # root mean square


@dataclass(frozen=True)
class Speech:
    """The sentences and voices from which synthetic speech is made, and the directory in which it is stored.

    Attributes:
        folder: directory of the shards.
        lines: the sentences to speak.
        rhvoice: directory of RHVoice's unpacked packages. If it is None, espeak-ng synthesises the speech.
        clips_per_shard: number of clips in each shard.
    """

    folder: Path
    lines: Sequence[str]
    rhvoice: Path | None = None
    clips_per_shard: int = 500

    def name(self, index: int) -> str:
        """Return the name of the shard with the number `index`."""
        return f"{'rhvoice' if self.rhvoice else 'espeak'}-{index:03d}"


def spoken_clips(
    synthesiser: Synthesiser, lines: Sequence[str], seed: int, count: int
) -> Iterator[tuple[str, str, Samples]]:
    """Yield `count` triples of a text, a voice and samples.

    The samples have the shape (n,) and the rate 16 kHz. The same seed gives the same triples.
    """
    dice = random.Random(seed)
    voices, made = list(synthesiser.voices), 0
    while made < count:
        written, said = _texts(dice, lines)
        style = SpeakingStyle(
            dice.choice(voices), dice.randint(*RATE_WPM), dice.randint(*PITCH), dice.randint(*PITCH_RANGE)
        )
        speech = synthesiser.speak(said, style)
        speech = resample(speech, SAMPLE_RATE_HZ / synthesiser.sample_rate_hz / dice.uniform(*WARP))
        samples = np.pad(speech, [int(dice.uniform(*PAUSE_S) * SAMPLE_RATE_HZ) for _ in range(2)])
        if DURATION_S[0] < len(samples) / SAMPLE_RATE_HZ < DURATION_S[1]:
            made += 1
            yield written, style.voice, samples * np.float32(LEVEL / level(samples))


def speak_shards(speech: Speech, indices: Iterable[int], processes: int) -> None:
    """Write the shards with the numbers `indices`, except those that exist already.

    Each shard is synthesised in a new process, because espeak-ng keeps state from one sentence to the next. In a new
    process, the same number of a shard always gives the same bytes.
    """
    there = clip_shards(speech.folder, "")
    missing = [index for index in indices if speech.name(index) not in there]
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for line in pool.imap_unordered(partial(speak_shard, speech), missing):
            print(line, flush=True)


def speak_shard(speech: Speech, index: int) -> str:
    """Write one shard; return a line of text with the duration of the shard and of the synthesis."""
    started, name = time.monotonic(), speech.name(index)
    synthesiser: Synthesiser = RHVoice(speech.rhvoice) if speech.rhvoice else Espeak()
    write_clips(speech.folder, name, spoken_clips(synthesiser, speech.lines, index, speech.clips_per_shard))
    return f"{name}: {open_clips(speech.folder, name).hours:.2f} h in {time.monotonic() - started:.0f} s"


def _texts(dice: random.Random, lines: Sequence[str]) -> tuple[str, str]:
    if dice.random() < NAMES:
        return sentence_with_name(dice)
    (count,) = dice.choices((1, 2, 3), SENTENCES)
    text = " ".join(dice.choice(lines) for _ in range(count))
    return text, text
