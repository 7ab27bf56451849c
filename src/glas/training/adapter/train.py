"""The training loop of an adapter: two losses, a schedule of the learning rate, checkpoints to resume from."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name
from torch import Tensor

from glas.training.adapter.batches import IGNORED, Batch
from glas.training.adapter.lora import adapter_arrays, adapters, add_adapters
from glas.training.adapter.network import Arrays, Whisper, half_precision

CHECKPOINT = "checkpoint.pt"
LOG = "train.jsonl"
LABEL_SMOOTHING = 0.05
LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the training of an adapter.

    Attributes:
        steps: number of steps.
        learning_rate: the largest one, after the warm-up.
        encoder_rank: rank of the encoder's adapters; 0 for none.
        decoder_rank: rank of the decoder's adapters; 0 for none.
        save_every: steps between checkpoints.
        warm_up: steps in which the learning rate rises.
        n_heads: attention heads of the network; None: as many as every published Whisper of its width.
    """

    steps: int
    learning_rate: float = 3e-4
    encoder_rank: int = 32
    decoder_rank: int = 0
    save_every: int = 100
    warm_up: int = 50
    n_heads: int | None = None


class WeightedBatch(NamedTuple):
    """The batch of one step, and the weights of the two losses.

    Attributes:
        batch: the clips.
        states_weight: weight of the distance to the teacher's states; 0 if the batch has none.
        text_weight: weight of the text's cross-entropy.
    """

    batch: Batch
    states_weight: float = 0.0
    text_weight: float = 0.0


DrawBatch = Callable[[int], WeightedBatch]
OnCheckpoint = Callable[[int, Whisper], bool]


def student(arrays: Arrays, hyperparameters: Hyperparameters) -> Whisper:
    """Make the network with adapters that change nothing yet."""
    torch.manual_seed(0)
    network = Whisper(arrays, hyperparameters.n_heads)
    for side, rank in (("encoder", hyperparameters.encoder_rank), ("decoder", hyperparameters.decoder_rank)):
        if rank:
            add_adapters(network, rf"{side}\.layers\..*(_proj|fc\d)", rank, alpha=rank)
    return network


def losses(network: Whisper, batch: Batch, *, wants_text: bool) -> tuple[Tensor, Tensor]:
    """Compute the mean square distance of the hidden states and the cross-entropy of the next tokens.

    A loss that is not wanted, or has no targets, is 0.
    """
    with half_precision():
        states = network.decoder(batch.tokens, network.encoder(batch.mel))
        distance = torch.zeros(())
        if batch.states is not None:
            ours = torch.stack(states)[:, batch.is_text].float()
            distance = F.mse_loss(ours, batch.states[:, batch.is_text])
        if not wants_text:
            return distance, torch.zeros(())
        scores = network.decoder.scores(states[-1][batch.is_text]).float()
    labels = batch.labels[batch.labels != IGNORED]
    return distance, F.cross_entropy(scores, labels, label_smoothing=LABEL_SMOOTHING)


def rate_at(step: int, hyperparameters: Hyperparameters) -> float:
    """Return the learning rate of a step: it rises for `warm_up` steps, then falls linearly to zero."""
    return (
        hyperparameters.learning_rate
        * min((step + 1) / hyperparameters.warm_up, 1)
        * max(1 - step / hyperparameters.steps, 0)
    )


def train(
    arrays: Arrays,
    draw: DrawBatch,
    folder: Path,
    hyperparameters: Hyperparameters,
    on_checkpoint: OnCheckpoint = lambda _step, _network: False,
) -> Whisper:
    """Train an adapter, or resume from its last checkpoint; a finished training is only read.

    Args:
        arrays: weights of the base.
        draw: returns the batch of a step by its number, so that a resumed training gets the same batches.
        folder: holds the checkpoint and the log.
        hyperparameters: of the training.
        on_checkpoint: called after each checkpoint with the number of finished steps; True ends the training.

    Returns:
        The network with its trained adapters.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = student(arrays, hyperparameters)
    trained = [part for _, layer in adapters(network) for part in (layer.lora_A, layer.lora_B)]
    optimiser = torch.optim.AdamW(trained, lr=hyperparameters.learning_rate, weight_decay=0.01)
    first = _restore(folder / CHECKPOINT, network, optimiser)
    started, seen, sums = time.monotonic(), 0, [0.0, 0.0]
    for step in range(first, hyperparameters.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, hyperparameters)
        weighted = draw(step)
        distance, entropy = losses(network, weighted.batch, wants_text=weighted.text_weight > 0)
        (weighted.states_weight * distance + weighted.text_weight * entropy).backward()
        torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        sums = [sums[0] + float(distance.detach()), sums[1] + float(entropy.detach())]
        seen += 1
        if (step + 1) % hyperparameters.save_every == 0 or step + 1 == hyperparameters.steps:
            _save(folder, network, optimiser, step + 1, hyperparameters)
            _note(folder, step + 1, sums, seen, time.monotonic() - started)
            if on_checkpoint(step + 1, network):
                break
            started, seen, sums = time.monotonic(), 0, [0.0, 0.0]
    return network


def is_due(step: int, share: float) -> bool:
    """Return whether a step belongs to a share of the steps that is spread evenly over all of them."""
    return int((step + 1) * share) > int(step * share)


def _restore(checkpoint: Path, network: Whisper, optimiser: torch.optim.Optimizer) -> int:
    if not checkpoint.exists():
        return 0
    kept: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(kept["adapters"], strict=False)
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["step"])


def _save(
    folder: Path, network: Whisper, optimiser: torch.optim.Optimizer, step: int, hyperparameters: Hyperparameters
) -> None:
    unfinished = folder / f"{CHECKPOINT}.part"
    adapters_only = {name: torch.from_numpy(array) for name, array in adapter_arrays(network).items()}
    torch.save(
        {
            "adapters": adapters_only,
            "optimiser": optimiser.state_dict(),
            "step": step,
            "hyperparameters": asdict(hyperparameters),
        },
        unfinished,
    )
    unfinished.replace(folder / CHECKPOINT)


def _note(folder: Path, step: int, sums: list[float], seen: int, seconds: float) -> None:
    line = {"step": step, "states": sums[0] / seen, "text": sums[1] / seen, "seconds": round(seconds, 1)}
    print(json.dumps(line), flush=True)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
