"""New sentences from real readers: cut VoxForge utterances at word boundaries and put a reader's words together anew.

VoxForge has under a thousand different sentences.  A network that hears them often learns them by heart; spliced, the
same voices say word sequences that nobody read.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from glas.training.alignment import Aligned, align_shard
from glas.training.features import from_bytes, to_bytes
from glas.training.shards import Bytes, write_shard

WORDS_PER_PIECE = (1, 2)
WORDS_PER_UTTERANCE = (3, 12)
FADE_FRAMES = 2

Piece = tuple[str, Bytes]


def cut_words(utterance: Aligned) -> list[Piece]:
    """The utterance cut at its spaces: one piece per word."""
    stored = utterance.stored
    spaces = [int(frame) for letter, frame in zip(utterance.text, utterance.frames, strict=True) if letter == " "]
    cuts = [0, *spaces, len(stored)]
    words = utterance.text.split()
    return [(word, stored[a:b]) for word, (a, b) in zip(words, pairwise(cuts), strict=True) if b - a > 5]


def join(pieces: list[Piece]) -> Piece:
    """Pieces in a row, every joint smoothed over a few frames."""
    frames = [from_bytes(piece) for _, piece in pieces]
    joined = np.concatenate(frames)
    position = 0
    for left in frames[:-1]:
        position += len(left)
        a, b = max(position - FADE_FRAMES, 0), min(position + FADE_FRAMES, len(joined)) - 1
        weight = np.linspace(0, 1, b - a + 1, dtype=np.float32)[:, None]
        joined[a : b + 1] = joined[a] * (1 - weight) + joined[b] * weight
    return " ".join(word for word, _ in pieces), to_bytes(joined)


def splice(data: Path, checkpoint: Path, count: int, seed: int) -> None:
    """Write a shard of `count` spliced utterances; the trainer takes it up with the other VoxForge shards."""
    runs: dict[str, list[list[Piece]]] = {}
    for utterance in align_shard(data, checkpoint):
        words = cut_words(utterance)
        if len(words) == len(utterance.text.split()):
            runs.setdefault(utterance.reader, []).append(words)
    rng = np.random.default_rng(seed)
    readers = [reader for reader, kept in runs.items() if len(kept) >= 4]
    weights = np.sqrt([len(runs[reader]) for reader in readers])
    utterances = []
    for _ in range(count):
        reader = readers[rng.choice(len(readers), p=weights / weights.sum())]
        text, stored = join(draw_pieces(rng, runs[reader]))
        utterances.append((text, reader, stored))
    write_shard(data / "shards", f"voxforge-train-spliced-{seed}", utterances)
    print(f"{sum(len(u[2]) for u in utterances) / 360_000:.1f} h spliced")


def draw_pieces(rng: np.random.Generator, utterances: list[list[Piece]]) -> list[Piece]:
    """Random runs of one to three words from one reader's utterances."""
    wanted = int(rng.integers(*WORDS_PER_UTTERANCE, endpoint=True))
    pieces: list[Piece] = []
    while len(pieces) < wanted:
        words = utterances[rng.integers(len(utterances))]
        start = int(rng.integers(len(words)))
        pieces += words[start : start + int(rng.integers(*WORDS_PER_PIECE, endpoint=True))]
    return pieces
