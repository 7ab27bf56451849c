"""Make batches for training: clips of similar length, with new random effects in each batch, padded only a little."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glas.engines.whisper.mel import filled, log_mel
from glas.training.adapter.teacher import Targets, open_targets
from glas.training.adapter.tokens import Tokens
from glas.training.sound.channel import SAMPLE_RATE_HZ, Samples
from glas.training.sound.clips import ClipShard, open_clips

POSITIONS_PER_S = 50
MIN_POSITIONS = 50
# The number of encoder positions is varied by up to 64, or by up to a third of the length of a short clip (from FUTO's
# notebook).
MAX_JITTER, JITTER_SHARE = 64, 3
# Share of the batches with joined clips; range of the silence between two joined clips, in seconds; limit of their
# total length, in seconds.
JOINED, PAUSE_S, LONGEST_S = 0.35, (0.1, 1.8), 16.0
N_POSITIONS = 1500  # of the encoder of every published Whisper
IGNORED = -100  # a label that no loss counts; torch's default

Group = list[tuple[ClipShard, int, Targets | None]]
Channel = Callable[[np.random.Generator, Samples, Sequence[Samples]], Samples]


@dataclass(frozen=True)
class Batch:
    """The examples of one training step.

    Attributes:
        mel: spectrograms, shape (batch, bands, frames).
        tokens: inputs of the decoder, shape (batch, n).
        labels: the token that should follow at each position, shape (batch, n); `IGNORED` in the prompt and after the
            end of the text.
        states: hidden states of the teacher (`glas.training.adapter.teacher`), shape (layers, batch, n, width); None if
            these states are not used.
        is_text: whether a position counts in the losses, shape (batch, n).
    """

    mel: Tensor
    tokens: Tensor
    labels: Tensor
    states: Tensor | None
    is_text: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return a copy of the batch, with its tensors on a device."""
        if device.type == "cpu":
            return self
        values = (None if value is None else value.to(device) for value in vars(self).values())
        return Batch(*values)


@dataclass
class Batches:
    """Draws the batch of any training step; the seed and the number of the step determine all contents of the batch.

    Args:
        folder: directory of the shards, which are files with clips (`glas.training.sound.clips`).
        names: names of the shards from which clips are drawn.
        tokens: the tokenizer of the model.
        channel: function that augments a clip; see `glas.training.sound.augment`.
        size: number of clips in a batch.
        seed: seed for the order of clips.
        n_mels: number of bands of the spectrogram.
        wants_states: whether to draw only clips for which the teacher's states are stored, and to return these states
            with the clips.
        joined: share of the batches, 0..1, in which another clip is appended to each clip. Nothing is appended if
            `wants_states` is set.
        n_positions: number of positions in the encoder's window; longer clips are cut.
    """

    folder: Path
    names: Sequence[str]
    tokens: Tokens
    channel: Channel
    size: int = 4
    seed: int = 0
    n_mels: int = 80
    wants_states: bool = False
    joined: float = JOINED
    n_positions: int = N_POSITIONS
    _groups: list[Group] = field(init=False)

    def __post_init__(self) -> None:
        shards = [open_clips(self.folder, name) for name in self.names]
        found = [(shard, open_targets(self.folder, shard)) for shard in shards]
        clips = [
            (shard, number, targets if self.wants_states else None)
            for shard, targets in found
            if targets is not None or not self.wants_states
            for number in range(len(shard.clips))
        ]
        clips.sort(key=lambda one: one[0].clips[one[1]].count)
        whole = range(0, max(len(clips) - self.size, 0) + 1, self.size)
        self._groups = [clips[at : at + self.size] for at in whole]

    def __len__(self) -> int:
        return len(self._groups)

    def draw(self, step: int) -> Batch:
        """Return the batch of a step.

        The clips are divided into groups of `size` clips of similar length; each batch is made from one group. Every
        group is used once, in random order, before any group is used a second time.
        """
        passed, place = divmod(step, len(self._groups))
        order = list(range(len(self._groups)))
        random.Random(f"{self.seed} {passed}").shuffle(order)
        group = self._groups[order[place]]
        rng = np.random.default_rng([self.seed, step])
        said = [(shard.samples_of(shard.clips[number]), shard.clips[number].text) for shard, number, _ in group]
        if not self.wants_states and rng.random() < self.joined:
            said = self._joined(rng, said, self._groups[order[place - 1]])
        clean = [samples for samples, _ in said]
        sounds = [
            self.channel(rng, samples, clean[:number] + clean[number + 1 :]) for number, samples in enumerate(clean)
        ]
        rows = [self.tokens.text(text) for _, text in said]
        states = [targets.of(number) for _, number, targets in group if targets is not None]
        positions = min(_positions(rng, max(map(len, sounds))), self.n_positions)
        mel = np.stack([filled(*log_mel(sound, self.n_mels), 2 * positions) for sound in sounds])
        return self._batch(mel, rows, states)

    def _joined(
        self, rng: np.random.Generator, said: list[tuple[Samples, str]], others: Group
    ) -> list[tuple[Samples, str]]:
        """Append a pause and another clip to each clip, unless both clips together are too long.

        A network that is trained only on single sentences stops writing at the first full stop. So it must also learn
        clips with two sentences.
        """
        longest_s = min(LONGEST_S, self.n_positions / POSITIONS_PER_S)
        found = []
        for (samples, text), (shard, number, _) in zip(said, others, strict=True):
            pause = np.zeros(int(rng.uniform(*PAUSE_S) * SAMPLE_RATE_HZ), np.float32)
            behind = shard.clips[number]
            both = np.concatenate([samples, pause, shard.samples_of(behind)])
            is_short = len(both) <= longest_s * SAMPLE_RATE_HZ
            # Sounds without speech have an empty text.
            found.append((both, f"{text} {behind.text}".strip()) if is_short else (samples, text))
        return found

    def _batch(self, mel: np.ndarray, rows: list[list[int]], states: list[np.ndarray]) -> Batch:
        longest, prompt = max(map(len, rows)) - 1, self.tokens.prompt_length
        tokens = torch.full((len(rows), longest), self.tokens.end)
        labels = torch.full((len(rows), longest), IGNORED)
        for row, ids in enumerate(rows):
            tokens[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            labels[row, prompt - 1 : len(ids) - 1] = torch.tensor(ids[prompt:])
        stacked = None
        if states:
            stacked = torch.zeros(states[0].shape[0], len(rows), longest, states[0].shape[2])
            for row, one in enumerate(states):
                stacked[:, row, prompt - 1 : prompt - 1 + one.shape[1]] = torch.from_numpy(one.astype(np.float32))
        return Batch(torch.from_numpy(mel), tokens, labels, stacked, labels != IGNORED)


def _positions(rng: np.random.Generator, n_samples: int) -> int:
    """Draw a number of encoder positions near the true length of a clip: up to 16 fewer, or up to 64 more.

    For a short clip the differences are smaller.
    """
    true = round(POSITIONS_PER_S * n_samples / SAMPLE_RATE_HZ)
    jitter = min(MAX_JITTER, true // JITTER_SHARE)
    return max(MIN_POSITIONS, true + int(rng.integers(-(jitter // 4), jitter + 1)))
