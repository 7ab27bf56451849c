"""Shards: each contains many clips, as one memory-mapped array of samples and a second file with their texts.

`NAME.npy` contains 16-bit samples at 16 kHz. `NAME.jsonl` contains one line for each clip. `NAME.jsonl` is written
last, under a temporary name, and then renamed. So no program opens an incomplete shard.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.system.files import put_in_place, to_disk
from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples

_FULL_SCALE = 32767


@dataclass(frozen=True)
class Clip:
    """One clip of a shard: its text, the index of its first sample, its number of samples, and its voice."""

    text: str
    start: int
    count: int
    voice: str

    @property
    def duration_s(self) -> float:
        """Duration of the clip in seconds."""
        return self.count / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class ClipShard:
    """An open shard: its samples, and the list of its clips."""

    name: str
    stored: npt.NDArray[np.int16]
    clips: list[Clip]

    @property
    def hours(self) -> float:
        """Total duration of all clips in hours."""
        return sum(clip.count for clip in self.clips) / SAMPLE_RATE_HZ / 3600

    def samples_of(self, clip: Clip) -> Samples:
        """Return the samples of one clip, shape (n,), with values in −1…1."""
        return self.stored[clip.start : clip.start + clip.count].astype(np.float32) / np.float32(_FULL_SCALE)


def write_clips(folder: Path, name: str, spoken: Iterable[tuple[str, str, Samples]]) -> None:
    """Write triples of a text, a voice and samples, shape (n,), as one shard."""
    clips: list[Clip] = []
    pieces: list[npt.NDArray[np.int16]] = []
    start = 0
    for text, voice, samples in spoken:
        pieces.append(np.round(np.clip(samples, -1, 1) * _FULL_SCALE).astype(np.int16))
        clips.append(Clip(text, start, len(samples), voice))
        start += len(samples)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", np.concatenate(pieces) if pieces else np.zeros(0, np.int16))
    unfinished = folder / f"{name}.jsonl.part"
    unfinished.write_text("".join(json.dumps(asdict(c), ensure_ascii=False) + "\n" for c in clips), encoding="utf-8")
    to_disk(folder / f"{name}.npy")
    put_in_place(unfinished, folder / f"{name}.jsonl")


def open_clips(folder: Path, name: str) -> ClipShard:
    """Open one finished shard."""
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return ClipShard(name, np.load(folder / f"{name}.npy", mmap_mode="r"), [Clip(**json.loads(line)) for line in lines])


def clip_shards(folder: Path, prefix: str) -> list[str]:
    """Return the sorted names of the finished shards that begin with `prefix`."""
    return sorted(path.stem for path in folder.glob(f"{prefix}*.jsonl"))
