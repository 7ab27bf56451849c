"""Train an adapter: three losses, a schedule of the learning rate, and checkpoints from which a training is resumed."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name
from torch import Tensor

from glas.system.files import put_in_place
from glas.training.adapter.ahead import drawn_ahead
from glas.training.adapter.batches import IGNORED, Batch
from glas.training.adapter.lora import adapter_arrays, adapters, add_adapters, without_adapters
from glas.training.adapter.network import Arrays, Whisper, chosen_device, half_precision

CHECKPOINT = "checkpoint.pt"
LOG = "train.jsonl"
LABEL_SMOOTHING = 0.05
LARGEST_GRADIENT = 1.0
THREADS_FOR_GPU = 4  # number of threads that draw batches if a GPU computes the training


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the training of an adapter.

    Attributes:
        steps: number of steps.
        learning_rate: the largest learning rate, which is reached at the end of the warm-up.
        encoder_rank: rank of the encoder's adapters; 0 means that the encoder has no adapters.
        decoder_rank: rank of the decoder's adapters; 0 means that the decoder has no adapters.
        save_every: number of steps from one checkpoint to the next.
        warm_up: number of steps during which the learning rate rises.
        n_heads: number of attention heads; None means the number in the published Whisper models of this width.
        device: device of torch on which the training computes; see `chosen_device`.
    """

    steps: int
    learning_rate: float = 3e-4
    encoder_rank: int = 32
    decoder_rank: int = 0
    save_every: int = 100
    warm_up: int = 50
    n_heads: int | None = None
    device: str = "cpu"


class WeightedBatch(NamedTuple):
    """The batch of one step, and the weights of the three losses.

    Attributes:
        batch: the batch of clips.
        states_weight: weight of the distance to the teacher's states; 0 if the batch has no states.
        text_weight: weight of the text's cross-entropy.
        base_weight: weight of the difference from the base model's probabilities; see `base_divergence`.
    """

    batch: Batch
    states_weight: float = 0.0
    text_weight: float = 0.0
    base_weight: float = 0.0

    def to(self, device: torch.device) -> "WeightedBatch":
        """Return a copy with the same weights, and with the tensors of the batch on a device."""
        return self._replace(batch=self.batch.to(device))


@dataclass
class _Losses:
    """The losses of the steps since the last checkpoint."""

    states: list[float] = field(default_factory=list)
    text: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)

    def means(self) -> dict[str, float]:
        """Return the mean of each loss; return 0 for a loss that was computed in no step."""
        return {name: sum(values) / max(len(values), 1) for name, values in vars(self).items()}


DrawBatch = Callable[[int], WeightedBatch]
OnCheckpoint = Callable[[int, Whisper], bool]


def student(arrays: Arrays, hyperparameters: Hyperparameters) -> Whisper:
    """Make the student: the network with new adapters. An adapter that is not yet trained changes nothing."""
    torch.manual_seed(0)
    network = Whisper(arrays, hyperparameters.n_heads)
    for side, rank in (("encoder", hyperparameters.encoder_rank), ("decoder", hyperparameters.decoder_rank)):
        if rank:
            add_adapters(network, rf"{side}\.layers\..*(_proj|fc\d)", rank, alpha=rank)
    return network


def losses(network: Whisper, batch: Batch, *, wants_text: bool) -> tuple[Tensor, Tensor]:
    """Compute the mean square distance from the teacher's hidden states, and the cross-entropy of the next tokens.

    If the batch has no hidden states of the teacher, the distance is 0. If `wants_text` is not set, the cross-entropy
    is 0.
    """
    with half_precision(network.device):
        states = network.decoder(batch.tokens, network.encoder(batch.mel))
        distance = torch.zeros((), device=network.device)
        if batch.states is not None:
            ours = torch.stack(states)[:, batch.is_text].float()
            distance = F.mse_loss(ours, batch.states[:, batch.is_text])
        if not wants_text:
            return distance, torch.zeros((), device=network.device)
        scores = network.decoder.scores(states[-1][batch.is_text]).float()
    labels = batch.labels[batch.labels != IGNORED]
    return distance, F.cross_entropy(scores, labels, label_smoothing=LABEL_SMOOTHING)


def base_divergence(network: Whisper, batch: Batch) -> Tensor:
    """Compute how much the adapters change the probabilities of the next tokens.

    The result is the Kullback-Leibler divergence from the base model to the network, averaged over the tokens. Method:
    Li and Hoiem, "Learning without Forgetting", 2016.
    """
    with half_precision(network.device):
        with torch.no_grad(), without_adapters(network):
            base = log_probabilities(network, batch)
        return F.kl_div(log_probabilities(network, batch), base, log_target=True, reduction="batchmean")


def log_probabilities(network: Whisper, batch: Batch) -> Tensor:
    """Compute log-probabilities of the next token at the positions that count in the losses.

    The shape is (n, vocabulary), if n is the number of these positions.
    """
    state = network.decoder(batch.tokens, network.encoder(batch.mel))[-1]
    return F.log_softmax(network.decoder.scores(state[batch.is_text]).float(), dim=-1)


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
    """Train an adapter, or resume a training from its last checkpoint.

    If the training has finished already, its result is only read.

    Args:
        arrays: weights of the base model.
        draw: function that returns the batch of a step. The number of the step determines the batch, so a resumed
            training gets the same batches.
        folder: directory with the checkpoint and the log.
        hyperparameters: hyperparameters of the training.
        on_checkpoint: function that is called after each checkpoint with the number of finished steps. If it returns
            True, the training ends. A resumed training first calls the function with its last checkpoint, because the
            training may have been interrupted before the function ended.

    Returns:
        The network with its trained adapters.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = student(arrays, hyperparameters)
    network.to(chosen_device(hyperparameters.device))
    trained = [part for _, layer in adapters(network) for part in (layer.lora_A, layer.lora_B)]
    optimiser = torch.optim.AdamW(trained, lr=hyperparameters.learning_rate, weight_decay=0.01)
    first = _restore(folder / CHECKPOINT, network, optimiser)
    started, seen = time.monotonic(), _Losses()
    if first and on_checkpoint(first, network):
        return network
    n_threads = THREADS_FOR_GPU if network.device.type == "cuda" else 0
    with drawn_ahead(draw, first, hyperparameters.steps, n_threads) as batches:
        for step, batch in enumerate(batches, first):
            for group in optimiser.param_groups:
                group["lr"] = rate_at(step, hyperparameters)
            _loss(network, batch.to(network.device), seen).backward()
            torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            if (step + 1) % hyperparameters.save_every == 0 or step + 1 == hyperparameters.steps:
                _save(folder, network, optimiser, step + 1, hyperparameters)
                _note(folder, step + 1, seen, time.monotonic() - started)
                if on_checkpoint(step + 1, network):
                    break
                started, seen = time.monotonic(), _Losses()
    return network


def is_due(step: int, share: float) -> bool:
    """Return whether `step` is one of the selected steps: a part `share` (0..1) of all steps, spread evenly."""
    return int((step + 1) * share) > int(step * share)


def _restore(checkpoint: Path, network: Whisper, optimiser: torch.optim.Optimizer) -> int:
    if not checkpoint.exists():
        return 0
    kept: dict[str, Any] = torch.load(checkpoint, map_location=network.device, weights_only=True)
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
    put_in_place(unfinished, folder / CHECKPOINT)


def _loss(network: Whisper, weighted: WeightedBatch, seen: _Losses) -> Tensor:
    """Compute the weighted sum of the losses of a batch, and add the losses to `seen`."""
    loss = torch.zeros((), device=network.device)
    if weighted.states_weight or weighted.text_weight:
        distance, entropy = losses(network, weighted.batch, wants_text=weighted.text_weight > 0)
        loss = weighted.states_weight * distance + weighted.text_weight * entropy
        seen.states.append(float(distance.detach()))
        seen.text.append(float(entropy.detach()))
    if weighted.base_weight:
        divergence = base_divergence(network, weighted.batch)
        loss = loss + weighted.base_weight * divergence
        seen.base.append(float(divergence.detach()))
    return loss


def _note(folder: Path, step: int, seen: _Losses, seconds: float) -> None:
    line = {"step": step, **seen.means(), "seconds": round(seconds, 1)}
    print(json.dumps(line), flush=True)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
