"""Shards: many utterances' log-mel bytes in one memory-mapped array, their texts beside it.

`NAME.npy` is (frames, 80) bytes, `NAME.jsonl` has one line per utterance: text, start, frames, source.  The second file
is written last and under its final name at once, so a reader never sees half a shard.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glas.training.sound.features import BANDS

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Entry:
    """One utterance of a shard: its label text, first frame, number of frames (10 ms each), and where it comes from."""

    text: str
    start: int
    frames: int
    source: str


@dataclass(frozen=True)
class Shard:
    """An opened shard."""

    name: str
    stored: Bytes  # (frames, 80), mapped from disk
    entries: list[Entry]

    @property
    def hours(self) -> float:
        """Speech in this shard."""
        return sum(entry.frames for entry in self.entries) / 360_000

    def bytes_of(self, entry: Entry) -> Bytes:
        """Log-mel bytes (frames, 80) of one utterance."""
        return self.stored[entry.start : entry.start + entry.frames]


def write_shard(folder: Path, name: str, utterances: Iterable[tuple[str, str, Bytes]]) -> None:
    """Write (text, source, bytes (t, 80)) triples as one shard."""
    entries: list[Entry] = []
    pieces: list[Bytes] = []
    start = 0
    for text, source, stored in utterances:
        entries.append(Entry(text, start, len(stored), source))
        pieces.append(stored)
        start += len(stored)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", np.concatenate(pieces) if pieces else np.zeros((0, BANDS), np.uint8))
    unfinished = folder / f"{name}.jsonl.part"
    unfinished.write_text("".join(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in entries), encoding="utf-8")
    unfinished.rename(folder / f"{name}.jsonl")


def open_shard(folder: Path, name: str) -> Shard:
    """Open one finished shard."""
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return Shard(name, np.load(folder / f"{name}.npy", mmap_mode="r"), [Entry(**json.loads(line)) for line in lines])


def finished_shards(folder: Path, prefix: str) -> list[str]:
    """Names of the finished shards that begin with `prefix`, sorted."""
    return sorted(path.stem for path in folder.glob(f"{prefix}*.jsonl"))
