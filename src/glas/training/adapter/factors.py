"""Read the factors of adapters from trained networks, and combine several adapters into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glas.engines.whisper.adapter import Adapter, Factors
from glas.training.adapter.lora import adapters
from glas.training.adapter.network import Whisper

AdapterFactors = dict[str, Factors]


def factors_of(network: Whisper) -> AdapterFactors:
    """Return the trained factors `a` and `b` for each changed matrix, scaled so that the change is `b @ a`."""
    return {
        name: Factors(
            layer.lora_A.detach().float().cpu().numpy().copy(),
            (layer.scale * layer.lora_B).detach().float().cpu().numpy().copy(),
        )
        for name, layer in adapters(network)
    }


def combine(factors: Sequence[tuple[AdapterFactors, float]]) -> AdapterFactors:
    """Multiply each adapter by its share, and combine them into one adapter whose change is the sum of all changes.

    The sum of a change of rank r and a change of rank s is a change of rank r + s, so the result is exact.
    """
    names = sorted({name for part, _ in factors for name in part})
    found = {}
    for name in names:
        pairs = [(part[name], share) for part, share in factors if name in part]
        found[name] = Factors(
            np.concatenate([pair.a for pair, _ in pairs]),
            np.concatenate([share * pair.b for pair, share in pairs], axis=1),
        )
    return found


def as_adapter(factors: AdapterFactors, base: str, base_digest: str, facts: dict[str, Any]) -> Adapter:
    """Make an adapter from the factors of changes `b @ a`.

    The rank of the adapter is the largest rank of a change, and its alpha is equal to its rank.
    """
    rank = max(len(pair.a) for pair in factors.values())
    return Adapter(factors, rank, float(rank), base, base_digest, facts)
