"""Compute the targets of distillation: the hidden states of the teacher for padded clips.

The teacher is the unchanged network. It gets each clip padded to the length of the encoder's window. The student is the
same network with an adapter. The student gets the clips without this padding, and learns to produce the hidden states
of the teacher. The method is that of FUTO's whisper-acft (2024): it compares the hidden states of the decoder. The
hidden states of the teacher are computed once for each clip and stored, because computing them takes longer than a
training step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glas.engines.whisper.mel import filled, log_mel
from glas.system.files import put_in_place, to_disk
from glas.training.adapter.network import Whisper, half_precision
from glas.training.adapter.tokens import Tokens
from glas.training.sound.channel import Samples
from glas.training.sound.clips import ClipShard, open_clips

States = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Targets:
    """Hidden states for the clips of one shard.

    Attributes:
        stored: hidden states, shape `(layers, rows, width)`; there is one row for each token, and the rows of a clip
            are consecutive.
        starts: for each clip, the index of its first row; the last element is the number of all rows.
    """

    stored: States
    starts: npt.NDArray[np.int64]

    def of(self, number: int) -> States:
        """Return the states of the clip `number`, shape (layers, tokens, width).

        The first of these tokens is the last token of the prompt. The other tokens are those of the text.
        """
        return self.stored[:, self.starts[number] : self.starts[number + 1]]


def target_states(teacher: Whisper, samples: Samples, tokens: Sequence[int], prompt: int) -> Tensor:
    """Compute the states after the prompt's last token, and after each token of the text.

    The states have the shape (layers, tokens, width).
    """
    frames = 2 * teacher.shape.n_positions
    mel = torch.from_numpy(filled(*log_mel(samples, teacher.shape.n_mels), frames))[None]
    with torch.inference_mode(), half_precision(teacher.device):
        states = teacher.decoder(torch.tensor([tokens[:-1]]), teacher.encoder(mel))
    return torch.cat(states)[:, prompt - 1 :]


def write_targets(folder: Path, name: str, teacher: Whisper, tokens: Tokens) -> None:
    """Write the targets of a shard, unless they are complete already.

    For the shard NAME, the file `NAME.states.npy` is written first, and `NAME.starts.npy` last. So the targets are
    complete if `NAME.starts.npy` exists.
    """
    starts_file = folder / f"{name}.starts.npy"
    if starts_file.exists():
        return
    shard = open_clips(folder, name)
    found, starts = [], [0]
    for clip in shard.clips:
        states = target_states(teacher, shard.samples_of(clip), tokens.text(clip.text), tokens.prompt_length)
        found.append(states.to(torch.float16).numpy())
        starts.append(starts[-1] + states.shape[1])
    np.save(folder / f"{name}.states.npy", np.concatenate(found, axis=1))
    unfinished = folder / f"{name}.starts.part.npy"
    np.save(unfinished, np.array(starts, np.int64))
    to_disk(folder / f"{name}.states.npy")
    put_in_place(unfinished, starts_file)


def open_targets(folder: Path, shard: ClipShard) -> Targets | None:
    """Open the targets of a shard; return None if they were not computed."""
    starts = folder / f"{shard.name}.starts.npy"
    if not starts.exists():
        return None
    return Targets(np.load(folder / f"{shard.name}.states.npy", mmap_mode="r"), np.load(starts))
