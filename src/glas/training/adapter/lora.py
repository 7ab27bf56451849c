"""Low-rank adapters: a small trainable change that is added to frozen linear layers.

Method: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021. The output of a changed layer is

    y = W x + (alpha / r) B A x

with the frozen weights W, and the trained matrices A and B of rank r.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name
from torch import Tensor, nn


class LowRankLinear(nn.Module):
    """A frozen linear layer with a trainable low-rank change, which is zero at the beginning."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.linear, self.scale = linear, alpha / rank
        self.lora_A = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.lora_B = nn.Parameter(torch.zeros(linear.out_features, rank))
        self.is_active = True

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the frozen layer plus the output of the change."""
        if not self.is_active:
            return self.linear(x)
        change = F.linear(F.linear(x, self.lora_A), self.lora_B)
        return self.linear(x) + self.scale * change


def add_adapters(network: nn.Module, pattern: str, rank: int, alpha: float) -> None:
    """Add an adapter to every linear layer whose name matches the regular expression `pattern`."""
    chosen = [
        name for name, part in network.named_modules() if isinstance(part, nn.Linear) and re.fullmatch(pattern, name)
    ]
    for name in chosen:
        parent, _, last = name.rpartition(".")
        owner = network.get_submodule(parent)
        setattr(owner, last, LowRankLinear(getattr(owner, last), rank, alpha))


def adapters(network: nn.Module) -> Iterator[tuple[str, LowRankLinear]]:
    """Yield all adapters with the names of the layers that they change."""
    for name, part in network.named_modules():
        if isinstance(part, LowRankLinear):
            yield name, part


@contextmanager
def without_adapters(network: nn.Module) -> Iterator[None]:
    """Switch the adapters off while the context is open, so that the network computes the same as its base model."""
    layers = [layer for _, layer in adapters(network)]
    for layer in layers:
        layer.is_active = False
    try:
        yield
    finally:
        for layer in layers:
            layer.is_active = True


def adapter_arrays(network: nn.Module) -> dict[str, npt.NDArray[np.float32]]:
    """Return the trained arrays by name.

    Each changed layer has two arrays: `<layer>.lora_A`, shape (rank, inputs), and `<layer>.lora_B`, shape
    (outputs, rank).
    """
    found = {}
    for name, part in adapters(network):
        found[f"{name}.lora_A"] = part.lora_A.detach().float().cpu().numpy().copy()
        found[f"{name}.lora_B"] = part.lora_B.detach().float().cpu().numpy().copy()
    return found
