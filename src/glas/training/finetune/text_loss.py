"""Measure how well models with shares of a learnt change predict the references of recordings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name

from glas.engines.whisper.adapter import merge
from glas.engines.whisper.model import Model
from glas.training.adapter.batches import IGNORED, Batches
from glas.training.adapter.factors import AdapterFactors, as_adapter
from glas.training.adapter.network import Shape, Whisper
from glas.training.adapter.tokens import Tokens
from glas.training.adapter.train import log_probabilities
from glas.training.finetune.fit import DEV, kept_shard, unchanged
from glas.training.finetune.share import ShareLosses


def share_losses(
    model: Model,
    tokens: Tokens,
    clips: Path,
    factors: AdapterFactors,
    *,
    shares: Sequence[float],
    kept: Sequence[str],
) -> Iterator[ShareLosses]:
    """Yield the losses of a model with each share of a change.

    Args:
        model: the base model, in float32.
        tokens: the tokenizer of the base model.
        clips: directory with the shards `dev` and, for each of `kept`, `kept-NAME`.
        factors: the learnt change of the weights.
        shares: the shares to measure; 0 stands for the base model.
        kept: names of the sets that must not become worse.
    """
    shape = Shape.of(model.arrays)
    dev, *others = (
        Batches(
            clips,
            [shard],
            tokens,
            unchanged,
            size=1,  # with larger batches, some clips would be left out
            n_mels=shape.n_mels,
            joined=0.0,
            n_positions=shape.n_positions,
        )
        for shard in (DEV, *map(kept_shard, kept))
    )
    change = as_adapter(factors, "", "", {})
    for share in shares:
        arrays = merge(model.arrays, change, share) if share else model.arrays
        network = Whisper(arrays, model.config["decoder_attention_heads"])
        losses = [text_loss(network, some) for some in others]
        yield ShareLosses(share=share, dev=text_loss(network, dev), kept=dict(zip(kept, losses, strict=True)))


@torch.no_grad()
def text_loss(network: Whisper, batches: Batches) -> float:
    """Compute the cross-entropy of the next token, in nepers, averaged over all tokens of the clips."""
    total, count = 0.0, 0
    for number in range(len(batches)):
        batch = batches.draw(number)
        labels = batch.labels[batch.labels != IGNORED]
        total += float(F.nll_loss(log_probabilities(network, batch), labels, reduction="sum"))
        count += len(labels)
    return total / count
