"""Read the two matrices (factors) of each adapter from trained networks, and combine several adapters into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glas.engines.whisper.adapter import Adapter, Factors
from glas.training.adapter.lora import adapters
from glas.training.adapter.network import Whisper

AdapterFactors = dict[str, Factors]


def factors_of(network: Whisper) -> AdapterFactors:
    """Return, for each matrix that an adapter changes, the trained factors `a` and `b`; the change is `b @ a`."""
    return {
        name: Factors(
            layer.lora_A.detach().float().cpu().numpy().copy(),
            (layer.scale * layer.lora_B).detach().float().cpu().numpy().copy(),
        )
        for name, layer in adapters(network)
    }


def combine(factors: Sequence[tuple[AdapterFactors, float]]) -> AdapterFactors:
    """Multiply each adapter's change by its share, and return one adapter whose change is the sum of the products.

    A change of rank r and a change of rank s are combined into a change of rank r + s. So the result is exact.
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
    """Make an adapter from the factors `a` and `b` of changes `b @ a`.

    The rank of the adapter is the largest rank of a change. The alpha of the adapter is equal to this rank, so the
    changes are not scaled.
    """
    rank = max(len(pair.a) for pair in factors.values())
    return Adapter(factors, rank, float(rank), base, base_digest, facts)
