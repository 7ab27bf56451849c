"""Where each letter of a real reader's utterance is: Viterbi over the CTC lattice of a trained checkpoint.

Graves et al. 2006, section 4.  A network trained with CTC says a letter at one moment somewhere inside its sound, so
what is known is the middle of each letter, to about 30 ms, and not its borders.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glas.training.network.batches import collate
from glas.training.network.model import BLANK, Network, encode_text, output_lengths
from glas.training.network.train import load_network
from glas.training.sound.features import from_bytes, normalise
from glas.training.sound.shards import Bytes, open_shard

WORST_SCORE = -0.65  # mean log-probability per output below which an alignment is not trusted


@dataclass(frozen=True)
class Aligned:
    """An utterance (t, 80), its label text, its reader, and the frame at which each letter of the text is heard."""

    text: str
    reader: str
    stored: Bytes
    frames: npt.NDArray[np.int64]


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
def align_utterance(network: Network, text: str, reader: str, stored: Bytes) -> Aligned | None:
    """The utterance with the middle of every letter, or None if the alignment is poor."""
    batch = collate([(normalise(from_bytes(stored)), text)])
    count = int(output_lengths(network.shape, batch.lengths)[0])
    log_probs = network(batch.features, batch.lengths)[0][0, :count].numpy()
    symbols = encode_text(text)
    if not symbols or len(symbols) * 1.1 > count:
        return None
    starts, score = align(log_probs, symbols)
    if score < WORST_SCORE:
        return None
    middle = np.array(starts) * network.shape.subsampling + network.shape.subsampling // 2
    return Aligned(text, reader, np.asarray(stored), np.minimum(middle, len(stored) - 1))


def align_shard(data: Path, checkpoint: Path, name: str = "voxforge-train") -> list[Aligned]:
    """The well-aligned utterances of a shard."""
    torch.set_num_threads(1)
    network, _ = load_network(checkpoint)
    shard = open_shard(data / "shards", name)
    tried = (align_utterance(network, entry.text, entry.source, shard.bytes_of(entry)) for entry in shard.entries)
    aligned = [utterance for utterance in tried if utterance]
    readers = len({utterance.reader for utterance in aligned})
    print(f"aligned {len(aligned)} of {len(shard.entries)} utterances of {readers} readers", flush=True)
    return aligned
