"""Measure how well models with shares of a learnt change predict the references of recordings."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name

from glas.engines.whisper.adapter import merge
from glas.engines.whisper.model import Model
from glas.localisation import rounded
from glas.training.adapter.batches import IGNORED, Batches
from glas.training.adapter.factors import AdapterFactors, as_adapter
from glas.training.adapter.network import Shape, Whisper, chosen_device
from glas.training.adapter.tokens import Tokens
from glas.training.adapter.train import log_probabilities
from glas.training.finetune.report import Report, silent
from glas.training.finetune.shards import DEV, kept_shard
from glas.training.finetune.share import ShareLosses, between, choose_share
from glas.training.sound.channel import Samples


def measured_losses(
    losses_of: Callable[..., Iterator[ShareLosses]], shares: Sequence[float], report: Report = silent
) -> list[ShareLosses]:
    """Measure the losses of the base model and of all shares, and report each of them as soon as it is computed.

    The shares in the middle between the best share and its neighbours are measured, too.

    Args:
        losses_of: `share_losses` with all arguments except `shares`.
        shares: the shares to measure, all above 0.
        report: gets each loss.

    Returns:
        The losses in the order of the shares. The first losses are those of the base model.
    """
    (before,) = losses_of(shares=(0.0,))
    _report(before, before, report)
    losses: list[ShareLosses] = []
    for refines in (False, True):
        for one in losses_of(shares=between(choose_share(before, losses), shares) if refines else shares):
            losses.append(one)
            _report(one, before, report)
    return [before, *sorted(losses, key=lambda one: one.share)]


def _report(one: ShareLosses, before: ShareLosses, report: Report) -> None:
    report("finetune-loss", share=Decimal(f"{one.share:g}"), loss=rounded(one.dev, 4))
    worse = one.worse_than(before)
    for name, loss in one.kept.items():
        report("finetune-loss-risen" if name in worse else "finetune-loss-kept", name=name, loss=rounded(loss, 4))


def share_losses(
    model: Model,
    tokens: Tokens,
    clips: Path,
    factors: AdapterFactors,
    *,
    shares: Sequence[float],
    kept: Sequence[str],
    device: str = "cpu",
) -> Iterator[ShareLosses]:
    """Yield the losses of a model for each share of the learnt change of its weights.

    Args:
        model: the base model, in float32.
        tokens: the tokenizer of the base model.
        clips: directory with the shards `dev` and, for each of `kept`, `kept-NAME`.
        factors: the learnt change of the weights.
        shares: the shares to measure; 0 stands for the base model.
        kept: names of the sets that must not become worse.
        device: device of torch that computes the losses; see `chosen_device`.
    """
    shape = Shape.of(model.arrays)
    dev, *others = (clips_as_recorded(clips, shard, tokens, shape) for shard in (DEV, *map(kept_shard, kept)))
    change = as_adapter(factors, "", "", {})
    for share in shares:
        arrays = merge(model.arrays, change, share) if share else model.arrays
        network = Whisper(arrays, model.config["decoder_attention_heads"])
        network.to(chosen_device(device))
        losses = [text_loss(network, some) for some in others]
        yield ShareLosses(share=share, dev=text_loss(network, dev), kept=dict(zip(kept, losses, strict=True)))


def clips_as_recorded(clips: Path, shard: str, tokens: Tokens, shape: Shape) -> Batches:
    """Return the unaugmented clips of a shard, one clip in each batch; larger batches would leave some clips out."""
    return Batches(
        clips,
        [shard],
        tokens,
        _unchanged,
        size=1,
        n_mels=shape.n_mels,
        joined=0.0,
        n_positions=shape.n_positions,
    )


def _unchanged(_rng: np.random.Generator, samples: Samples, _others: Sequence[Samples]) -> Samples:
    return samples


@torch.no_grad()
def text_loss(network: Whisper, batches: Batches) -> float:
    """Compute the cross-entropy of the next token, in nats, averaged over all tokens of the clips."""
    total, count = 0.0, 0
    for number in range(len(batches)):
        batch = batches.draw(number).to(network.device)
        labels = batch.labels[batch.labels != IGNORED]
        total += float(F.nll_loss(log_probabilities(network, batch), labels, reduction="sum"))
        count += len(labels)
    return total / count
