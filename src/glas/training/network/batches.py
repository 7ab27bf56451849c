"""From shards to batches: which utterances, how they are varied anew each time, how they are put together."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glas.training.network.model import encode_text
from glas.training.sound.features import BANDS, Features, from_bytes, normalise
from glas.training.sound.shards import Entry, Shard, finished_shards, open_shard

NEPERS_PER_DB = 0.2303  # of energy
POOL = 480  # utterances that are sorted by length together


@dataclass(frozen=True)
class Variation:
    """How utterances are varied while training; shares are of utterances, independently."""

    tempo: tuple[float, float] = (0.87, 1.16)
    bands: tuple[float, float] = (0.88, 1.14)  # frequency warp: a longer or shorter vocal tract
    warped: float = 0.7
    uneven: float = 0.5  # sounds made longer and shorter one by one: synthesisers and readers keep time too well
    unevenness: float = 0.3  # of the logarithm of local tempo
    uneven_every: int = 20  # frames between changes of local tempo
    noisy: float = 0.35  # noise added to the mel energies
    snr_db: tuple[float, float] = (3.0, 30.0)
    narrowed: float = 0.75  # drawn towards what the 15-band map makes of them, half of these all the way
    cut: float = 0.35  # the bands above about 4 kHz emptied
    frequency_masks: int = 2
    widest_frequency_mask: int = 12  # bands
    time_mask_every: int = 300  # frames; few and short, for they teach to guess sounds from their neighbours
    widest_time_mask: int = 8  # frames


@dataclass(frozen=True)
class Batch:
    """Utterances put together: features (B, 80, T), lengths (B,), all labels in a row, label lengths (B,)."""

    features: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor

    @property
    def seconds(self) -> float:
        """Speech in this batch, without padding."""
        return float(self.lengths.sum()) / 100


def stretch(features: Features, ratio: float, axis: int) -> Features:
    """Features (t, 80) with one axis read at another pace by linear interpolation; bands beyond the last repeat it."""
    size = features.shape[axis]
    count = max(round(size * ratio), 2) if axis == 0 else size
    position = np.clip(np.arange(count) / ratio, 0, size - 1.001).astype(np.float32)
    low = position.astype(np.intp)
    weight = position - low
    weight = weight[:, None] if axis == 0 else weight[None]
    return np.asarray(
        np.take(features, low, axis) * (1 - weight) + np.take(features, low + 1, axis) * weight, np.float32
    )


def uneven_tempo(rng: np.random.Generator, features: Features, how: Variation) -> Features:
    """Features (t, 80) with a tempo that wanders; about as long as before."""
    knots = np.exp(rng.normal(0, how.unevenness, len(features) // how.uneven_every + 2))
    pace = np.interp(np.arange(len(features)), np.arange(len(knots)) * how.uneven_every, knots)
    reached = np.cumsum(pace) - pace[0]
    position = np.interp(np.arange(int(reached[-1]) + 1), reached, np.arange(len(features)))
    low = np.minimum(position.astype(np.intp), len(features) - 2)
    weight = (position - low)[:, None]
    return np.asarray(features[low] * (1 - weight) + features[low + 1] * weight, np.float32)


def add_mel_noise(rng: np.random.Generator, features: Features, snr_db: tuple[float, float]) -> Features:
    """Features (t, 80) with stationary noise of a random smooth spectrum added to the energies."""
    corners = rng.normal(0, 1.5, 6)
    spectrum = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), corners)
    loud = np.percentile(features.mean(axis=1), 80) - rng.uniform(*snr_db) * NEPERS_PER_DB
    fluctuation = rng.standard_normal(features.shape, dtype=np.float32) * np.float32(0.5)
    noisy: Features = np.logaddexp(features, (loud + spectrum - spectrum.mean()).astype(np.float32) + fluctuation)
    return noisy


def cut_band(rng: np.random.Generator, features: Features) -> Features:
    """Features (t, 80) as telephone speech has them: above about 4 kHz nothing, or a faint noise."""
    first = int(rng.integers(54, 66))
    floor = np.zeros((len(features), BANDS - first), np.float32)
    if rng.random() < 0.5:
        floor += rng.standard_normal(floor.shape, dtype=np.float32) * np.float32(rng.uniform(0.2, 0.8))
        floor += np.float32(rng.uniform(0, 0.3)) * features[:, first - 1 : first]
    return np.concatenate([features[:, :first], floor], axis=1)


def vary(rng: np.random.Generator, features: Features, how: Variation, narrow: Features) -> Features:
    """Log-mel energies (t, 80) changed at random, normalised, masked."""
    if rng.random() < how.warped:
        features = stretch(features, rng.uniform(*how.tempo), 0)
    if rng.random() < how.warped:
        features = stretch(features, rng.uniform(*how.bands), 1)
    if rng.random() < how.uneven:
        features = uneven_tempo(rng, features, how)
    if rng.random() < how.noisy:
        features = add_mel_noise(rng, features, how.snr_db)
    if rng.random() < how.cut:
        features = cut_band(rng, features)
    features = normalise(features)
    if rng.random() < how.narrowed:
        features += np.float32(min(2 * rng.random(), 1.0)) * (features @ narrow - features)
    for _ in range(how.frequency_masks):
        width = rng.integers(0, how.widest_frequency_mask + 1)
        start = rng.integers(0, BANDS - width)
        features[:, start : start + width] = 0
    for _ in range(len(features) // how.time_mask_every + 1):
        begin = rng.integers(0, len(features))
        features[begin : begin + rng.integers(0, how.widest_time_mask + 1)] = 0
    return features


def collate(items: list[tuple[Features, str]]) -> Batch:
    """Normalised features (t, 80) and label texts as one batch."""
    lengths = [len(features) for features, _ in items]
    padded = np.zeros((len(items), BANDS, max(lengths)), np.float32)
    for row, (features, _) in enumerate(items):
        padded[row, :, : len(features)] = features.T
    labels = [encode_text(text) for _, text in items]
    flat = torch.tensor([symbol for symbols in labels for symbol in symbols], dtype=torch.long)
    return Batch(
        torch.from_numpy(padded), torch.tensor(lengths), flat, torch.tensor([len(symbols) for symbols in labels])
    )


class Source:
    """Draws utterances without end from the shards named `prefix…`; new shards join as they are finished."""

    def __init__(self, folder: Path, prefix: str, rng: np.random.Generator) -> None:
        self._folder, self._prefix, self._rng = folder, prefix, rng
        self._shards: dict[str, Shard] = {}
        self._queue: list[tuple[Shard, Entry]] = []

    @property
    def hours(self) -> float:
        """Speech found so far."""
        return sum(shard.hours for shard in self._shards.values())

    def draw(self, count: int) -> list[tuple[npt.NDArray[np.uint8], str]]:
        """The next utterances as (bytes (t, 80), text); every one comes once before any comes again."""
        self._look_for_shards()
        while self._shards and len(self._queue) < count:
            everything = [(shard, entry) for shard in self._shards.values() for entry in shard.entries]
            self._queue = [everything[i] for i in self._rng.permutation(len(everything))] + self._queue
        drawn = [self._queue.pop() for _ in range(min(count, len(self._queue)))]
        return [(shard.bytes_of(entry), entry.text) for shard, entry in drawn]

    def _look_for_shards(self) -> None:
        new = [name for name in finished_shards(self._folder, self._prefix) if name not in self._shards]
        for name in new:
            shard = self._shards[name] = open_shard(self._folder, name)
            self._queue += [(shard, entry) for entry in shard.entries]
        if new:  # all together, or a training that goes on would hear one shard after the other
            self._queue = [self._queue[i] for i in self._rng.permutation(len(self._queue))]


def batches(
    sources: list[tuple[Source, float]], rng: np.random.Generator, seconds: float, how: Variation, narrow: Features
) -> Generator[Batch, None, None]:
    """Endless batches of about `seconds` of speech; a pool of utterances is sorted by length to have little padding."""
    while True:
        items: list[tuple[npt.NDArray[np.uint8], str]] = []
        for source, share in sources:
            items += source.draw(round(POOL * share))
        items.sort(key=lambda item: len(item[0]))
        groups: list[list[tuple[npt.NDArray[np.uint8], str]]] = [[]]
        for item in items:
            if groups[-1] and len(item[0]) * (len(groups[-1]) + 1) > seconds * 100:
                groups.append([])
            groups[-1].append(item)
        for index in rng.permutation(len(groups)):
            yield collate([(vary(rng, from_bytes(stored), how, narrow), text) for stored, text in groups[index]])
