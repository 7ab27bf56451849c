"""From trained networks to adapters as files: factors read out, several put together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glas.engines.whisper.adapter import Adapter, Factors
from glas.training.adapter.lora import adapters
from glas.training.adapter.network import Whisper

Parts = dict[str, Factors]


def factors_of(network: Whisper) -> Parts:
    """The trained factors of each changed matrix, scaled so that the change is `b @ a`."""
    return {
        name: Factors(
            layer.lora_A.detach().float().numpy().copy(), (layer.scale * layer.lora_B).detach().float().numpy().copy()
        )
        for name, layer in adapters(network)
    }


def together(parts: Sequence[tuple[Parts, float]]) -> Parts:
    """Put changes that were learnt one after the other beside each other, each multiplied by its share.

    The sum of two changes of ranks r and s is one change of rank r + s: no number is lost.
    """
    names = sorted({name for part, _ in parts for name in part})
    found = {}
    for name in names:
        pairs = [(part[name], share) for part, share in parts if name in part]
        found[name] = Factors(
            np.concatenate([pair.a for pair, _ in pairs]),
            np.concatenate([share * pair.b for pair, share in pairs], axis=1),
        )
    return found


def as_adapter(parts: Parts, base: str, base_digest: str, facts: dict[str, Any]) -> Adapter:
    """The adapter of changes `b @ a`; its rank is the largest of them, its alpha the same number."""
    rank = max(len(pair.a) for pair in parts.values())
    return Adapter(parts, rank, float(rank), base, base_digest, facts)
