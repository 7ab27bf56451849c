"""The network: a one-dimensional ConvNeXt with CTC outputs, small enough to lie in the repository.

Features (80 bands, 100 frames a second) → two strided convolutions (÷6: one frame is 60 ms) → blocks of a short
depthwise convolution and two linear layers → two output symbols per frame (33 a second, enough for fast speech).
Kernels are short on purpose: with about ±1 s in view the network cannot learn whole sentences by heart.  Linear layers
hold nearly all weights, so that int8 for MatMul alone shrinks the file fourfold.
Idea of the block: "A ConvNet for the 2020s" (Liu et al. 2022); CTC: Graves et al. 2006; loss at mid depth: Lee and
Watanabe 2021.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
SYMBOLS = [" ", *LETTERS]  # their index is the output's; the blank comes last
BLANK = len(SYMBOLS)


@dataclass(frozen=True)
class Shape:
    """The sizes of the network; they travel with every checkpoint."""

    bands: int = 80
    stem_width: int = 192
    width: int = 256
    expansion: int = 3  # the inner linear layer's width, in widths
    kernels: tuple[int, ...] = (5, 5, 5, 5, 5, 5, 3, 3, 3, 3, 3, 3)  # one block each, 60 ms per step
    symbols_per_frame: int = 2
    dropout: float = 0.1

    @property
    def subsampling(self) -> int:
        """Input frames per output symbol."""
        return 6 // self.symbols_per_frame


def output_lengths(shape: Shape, lengths: Tensor) -> Tensor:
    """Output symbols for so many input frames: what onnx-asr will take to be valid."""
    return torch.div(lengths - 1, shape.subsampling, rounding_mode="floor") + 1


def valid(frames: Tensor, lengths: Tensor) -> Tensor:
    """Frames (B, C, T) with zeros from each utterance's length on, so that padding never leaks into speech."""
    mask = torch.arange(frames.shape[2], device=frames.device)[None] < lengths[:, None]
    return frames * mask[:, None].to(frames.dtype)


class Block(nn.Module):
    """x + linear(gelu(linear(norm(depthwise(x))))), over (B, C, T)."""

    def __init__(self, width: int, kernel: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width * expansion)
        self.outer = nn.Linear(width * expansion, width)
        self.dropout = nn.Dropout(dropout)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """The frames (B, C, T) after this block."""
        mixed = self.norm(self.depthwise(valid(frames, lengths)).transpose(1, 2))
        change = self.dropout(self.outer(F.gelu(self.inner(mixed)))) * self.scale
        return frames + change.transpose(1, 2)


class Network(nn.Module):
    """Features to log-probabilities of symbols."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.stem_1 = nn.Conv1d(shape.bands, shape.stem_width, 5, stride=2, padding=2)
        self.stem_2 = nn.Conv1d(shape.stem_width, shape.width, 5, stride=3, padding=2)
        self.blocks = nn.ModuleList(
            Block(shape.width, kernel, shape.expansion, shape.dropout) for kernel in shape.kernels
        )
        outputs = (len(SYMBOLS) + 1) * shape.symbols_per_frame
        self.middle_norm, self.middle = nn.LayerNorm(shape.width), nn.Linear(shape.width, outputs)
        self.final_norm, self.final = nn.LayerNorm(shape.width), nn.Linear(shape.width, outputs)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, 80, T), lengths (B,) to log-probabilities (B, T', 34) of the last and of the middle layer."""
        return self.after_stem(self.stem_1(valid(features, lengths)), lengths)

    def after_stem(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The same from the first convolution's output (B, 192, T / 2) on; the lengths are still those of features."""
        frames = F.gelu(frames)
        frames = self.stem_2(valid(frames, torch.div(lengths - 1, 2, rounding_mode="floor") + 1))
        frame_lengths = torch.div(lengths - 1, 6, rounding_mode="floor") + 1
        middle = frames
        for number, block in enumerate(self.blocks, start=1):
            frames = block(frames, frame_lengths)
            if number == len(self.blocks) // 2:
                middle = frames
        return self._symbols(self.final(self.final_norm(frames.transpose(1, 2)))), self._symbols(
            self.middle(self.middle_norm(middle.transpose(1, 2)))
        )

    def _symbols(self, scores: Tensor) -> Tensor:
        spread = scores.reshape(scores.shape[0], -1, len(SYMBOLS) + 1)
        return F.log_softmax(spread.float(), dim=-1)


def encode_text(text: str) -> list[int]:
    """Symbol indices of a label text."""
    return [SYMBOLS.index(letter) for letter in text]


def greedy(log_probs: Tensor, lengths: Tensor) -> list[str]:
    """Texts of the most probable symbols (B, T', 34), repeats merged and blanks dropped."""
    texts = []
    for best, length in zip(log_probs.argmax(-1).tolist(), lengths.tolist(), strict=True):
        merged = [s for i, s in enumerate(best[:length]) if s != BLANK and (i == 0 or s != best[i - 1])]
        texts.append(" ".join("".join(SYMBOLS[s] for s in merged).split()))
    return texts
