"""Synthetic utterances: a sentence in some manner of speaking, sent through a channel, kept as features."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glas.training.sound.channel import (
    SAMPLE_RATE_HZ,
    Samples,
    clip,
    level,
    limit_band,
    lose_packets,
    resample,
    reverberate,
    through_opus,
    tilt,
)
from glas.training.sound.features import log_mel, to_bytes
from glas.training.sound.noises import add_noise, any_noise, coloured_noise
from glas.training.sound.shards import Bytes, write_shard
from glas.training.texts.sentences import TextSource, label
from glas.training.voices.espeak import HELD_OUT_VARIANTS
from glas.training.voices.manner import Manner, Synthesiser
from glas.training.voices.voxforge import BandMap, sphinx_bands

# Shares of the training utterances.
EMPTY = 0.02  # noise or tones with no text, so that the network learns to stay silent
CLEAN = 0.25  # no channel at all
COMMA, PAUSE = 0.08, 0.25  # a comma after a word; a breath somewhere in the utterance
TILT, REVERB, NOISE, CLIP, TELEPHONE, OPUS, LOSS = 0.6, 0.35, 0.5, 0.12, 0.25, 0.10, 0.10  # of the others, each
MAPPED = 0.30  # through the 15-band map, as all VoxForge speech is
SNR_DB = (4.0, 30.0)

RATE_WPM, PITCH, PITCH_RANGE = (110, 220), (15, 85), (20, 90)
WARP = (0.85, 1.17)  # resampling: shifts formants, pitch and tempo together
LONGEST_S = 16.0
BABBLE_VOICES = 40


class Speaker:
    """Speaks sentences in random manners; the same seed speaks the same."""

    def __init__(self, synthesiser: Synthesiser, texts: TextSource, seed: int, band_map: BandMap | None) -> None:
        self.synthesiser, self.texts, self.band_map = synthesiser, texts, band_map
        self.random = random.Random(seed)
        self.rng = np.random.default_rng(seed)
        self.earlier: list[Samples] = []

    def manner(self, names: list[str] | tuple[str, ...]) -> Manner:
        """A voice and a way to use it."""
        gap = self.random.choice((0, 0, 0, 1, 3, 6))
        return Manner(
            self.random.choice(names),
            self.random.randint(*RATE_WPM),
            self.random.randint(*PITCH),
            self.random.randint(*PITCH_RANGE),
            gap,
        )

    def voice(self, text: str, manner: Manner, warp: float) -> Samples:
        """Clean speech (n,) at 16 kHz, level 0.1, with short silences around it."""
        words = [word + ("," if self.random.random() < COMMA else "") for word in text.split()]
        cut = self.random.randint(1, len(words)) if self.random.random() < PAUSE else len(words)
        pieces = [self.silence(0.02, 0.5)]
        for part in (words[:cut], words[cut:]):
            pieces += [self.said_16k(" ".join(part), manner, warp), self.silence(0.02, 0.6)] if part else []
        samples = np.concatenate(pieces)
        return samples * np.float32(0.1 / level(samples))

    def said_16k(self, text: str, manner: Manner, warp: float) -> Samples:
        """What the synthesiser says, warped, at 16 kHz."""
        said = self.synthesiser.speak(text, manner)
        return resample(said, SAMPLE_RATE_HZ / self.synthesiser.sample_rate_hz / warp)

    def silence(self, shortest_s: float, longest_s: float) -> Samples:
        """Some silence."""
        return np.zeros(int(self.random.uniform(shortest_s, longest_s) * SAMPLE_RATE_HZ), np.float32)

    def channel(self, samples: Samples, snr_db: tuple[float, float] = SNR_DB) -> Samples:
        """Speech (n,) as a microphone and a network hand it on."""
        chance, rng = self.random.random, self.rng
        samples = tilt(rng, samples) if chance() < TILT else samples
        samples = reverberate(rng, samples) if chance() < REVERB else samples
        samples = add_noise(rng, samples, self.earlier, snr_db) if chance() < NOISE else samples
        samples = clip(rng, samples) if chance() < CLIP else samples
        samples = limit_band(rng, samples) if chance() < TELEPHONE else samples
        samples = through_opus(rng, samples * np.float32(0.5)) if chance() < OPUS else samples
        return lose_packets(rng, samples) if chance() < LOSS else samples

    def finish(self, samples: Samples) -> Samples:
        """The samples with the faint noise that every recording has: no band is ever exactly silent."""
        return samples + coloured_noise(self.rng, len(samples), 0.5) * np.float32(
            0.1 * 10 ** (-self.random.uniform(40, 75) / 20)
        )

    def features(self, samples: Samples) -> Bytes:
        """Log-mel bytes (t, 80), some of them through the 15-band map."""
        mapped = self.band_map is not None and self.random.random() < MAPPED
        return to_bytes(
            self.band_map(sphinx_bands(samples)) if self.band_map is not None and mapped else log_mel(samples)
        )

    def utterance(self) -> tuple[str, str, Bytes]:
        """One training utterance: label text, voice variant, log-mel bytes."""
        if self.random.random() < EMPTY:
            return "", "nobody", self.features(self.finish(self.nothing()))
        while True:
            text = self.texts.draw()
            manner = self.manner(self.synthesiser.voices)
            samples = self.voice(text, manner, self.random.uniform(*WARP))
            if 0.3 < len(samples) / SAMPLE_RATE_HZ < LONGEST_S:
                break
        self.earlier = [*self.earlier[-BABBLE_VOICES:], samples]
        if self.random.random() >= CLEAN:
            samples = self.channel(samples)
        return label(text), manner.variant, self.features(self.finish(samples))

    def test_utterance(self, *, clean: bool) -> tuple[str, str, Samples]:
        """One test utterance: held-out sentence in a held-out voice."""
        text = self.texts.draw_message(test=True)
        manner = self.manner(HELD_OUT_VARIANTS)
        samples = self.voice(text, manner, 1.0)
        self.earlier = [*self.earlier[-BABBLE_VOICES:], samples]
        return label(text), manner.variant, self.finish(samples if clean else self.channel(samples, (8.0, 25.0)))

    def nothing(self) -> Samples:
        """A few seconds without speech."""
        count = int(self.random.uniform(0.5, 6) * SAMPLE_RATE_HZ)
        sound = any_noise(self.rng, count, [])
        return self.channel(sound * np.float32(10 ** (-self.random.uniform(10, 60) / 20)))


def write_training_shard(folder: Path, name: str, speaker: Speaker, count: int) -> None:
    """Write the shard of that name with `count` utterances."""
    write_shard(folder, name, (speaker.utterance() for _ in range(count)))


def test_utterances(speaker: Speaker, count: int, *, clean: bool) -> Iterator[tuple[str, str, Bytes]]:
    """Test utterances as shards keep them; never through the map."""
    for _ in range(count):
        text, variant, samples = speaker.test_utterance(clean=clean)
        yield text, variant, to_bytes(log_mel(samples))
