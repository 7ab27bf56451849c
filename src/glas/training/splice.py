"""New sentences from real readers: cut VoxForge utterances at word boundaries and put a reader's words together anew.

VoxForge has under a thousand different sentences.  A network that hears them often learns them by heart; spliced, the
same voices say word sequences that nobody read.  The boundaries come from a forced alignment with a trained checkpoint
(Viterbi over the CTC lattice: Graves et al. 2006, section 4).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glas.training.batches import collate
from glas.training.features import from_bytes, normalise, to_bytes
from glas.training.model import BLANK, Network, encode_text, output_lengths
from glas.training.shards import Bytes, open_shard, write_shard
from glas.training.train import load_network

WORST_SCORE = -0.65  # mean log-probability per output below which an alignment is not trusted
WORDS_PER_PIECE = (1, 2)
WORDS_PER_UTTERANCE = (3, 12)
FADE_FRAMES = 2

Piece = tuple[str, Bytes]


def align(log_probs: npt.NDArray[np.float32], symbols: list[int]) -> tuple[list[int], float]:
    """Viterbi path of `symbols` through log-probabilities (t, 34): the output where each begins, and the mean score."""
    lattice = np.full(2 * len(symbols) + 1, BLANK)
    lattice[1::2] = symbols
    states = len(lattice)
    may_skip = np.zeros(states, bool)
    may_skip[2:] = (lattice[2:] != BLANK) & (lattice[2:] != lattice[:-2])
    score = np.full(states, -np.inf)
    score[:2] = log_probs[0, lattice[:2]]
    back = np.zeros((len(log_probs), states), np.int8)
    for t in range(1, len(log_probs)):
        options = np.stack(
            [score, np.r_[-np.inf, score[:-1]], np.where(may_skip, np.r_[-np.inf, -np.inf, score[:-2]], -np.inf)]
        )
        back[t] = options.argmax(axis=0)
        score = options.max(axis=0) + log_probs[t, lattice]
    state = states - 1 if score[-1] > score[-2] else states - 2
    total = float(score[state])
    starts = [0] * len(symbols)
    for t in range(len(log_probs) - 1, -1, -1):
        if state % 2:
            starts[state // 2] = t
        state -= int(back[t, state])
    return starts, total / len(log_probs)


@torch.inference_mode()
def cut_words(network: Network, text: str, stored: Bytes) -> list[Piece]:
    """The utterance (t, 80) cut at its spaces: one piece per word, or nothing if the alignment is poor."""
    batch = collate([(normalise(from_bytes(stored)), text)])
    log_probs = network(batch.features, batch.lengths)[0][
        0, : int(output_lengths(network.shape, batch.lengths)[0])
    ].numpy()
    symbols = encode_text(text)
    if len(symbols) * 1.1 > len(log_probs):
        return []
    starts, score = align(log_probs, symbols)
    if score < WORST_SCORE:
        return []
    spaces = [
        starts[i] * network.shape.subsampling + 1 for i, symbol in enumerate(symbols) if symbol == encode_text(" ")[0]
    ]
    cuts = [0, *spaces, len(stored)]
    return [(word, stored[a:b]) for word, a, b in zip(text.split(), cuts, cuts[1:], strict=False) if b - a > 5]


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
    torch.set_num_threads(1)
    network, _ = load_network(checkpoint)
    shard = open_shard(data / "shards", "voxforge-train")
    runs: dict[str, list[list[Piece]]] = {}
    for entry in shard.entries:
        words = cut_words(network, entry.text, shard.bytes_of(entry))
        if len(words) == len(entry.text.split()):
            runs.setdefault(entry.source, []).append(words)
    print(
        f"aligned {sum(map(len, runs.values()))} of {len(shard.entries)} utterances of {len(runs)} readers", flush=True
    )
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
