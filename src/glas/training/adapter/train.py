"""The training loop of an adapter: two losses, a falling learning rate, checkpoints from which it goes on."""

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
class Knobs:
    """How an adapter is trained.

    Attributes:
        steps: in all.
        learning_rate: at its highest.
        encoder_rank: of the encoder's adapters; 0 for none.
        decoder_rank: of the decoder's.
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


class Lesson(NamedTuple):
    """What one step learns from.

    Attributes:
        batch: the clips.
        states_weight: of the distance to the teacher's states; 0 where the batch has none.
        text_weight: of the text's cross-entropy.
    """

    batch: Batch
    states_weight: float = 0.0
    text_weight: float = 0.0


Draw = Callable[[int], Lesson]
OnCheckpoint = Callable[[int, Whisper], bool]


def student(arrays: Arrays, knobs: Knobs) -> Whisper:
    """The network with adapters that change nothing yet."""
    torch.manual_seed(0)
    network = Whisper(arrays, knobs.n_heads)
    for side, rank in (("encoder", knobs.encoder_rank), ("decoder", knobs.decoder_rank)):
        if rank:
            add_adapters(network, rf"{side}\.layers\..*(_proj|fc\d)", rank, alpha=rank)
    return network


def losses(network: Whisper, batch: Batch, *, wants_text: bool) -> tuple[Tensor, Tensor]:
    """Mean square distance of the hidden states, and cross-entropy of the next tokens; 0 where one is not wanted."""
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


def rate_at(step: int, knobs: Knobs) -> float:
    """The learning rate of a step: up in `warm_up` steps, then down to zero in a straight line."""
    return knobs.learning_rate * min((step + 1) / knobs.warm_up, 1) * max(1 - step / knobs.steps, 0)


def train(
    arrays: Arrays,
    draw: Draw,
    folder: Path,
    knobs: Knobs,
    on_checkpoint: OnCheckpoint = lambda _step, _network: False,
) -> Whisper:
    """Train an adapter, or go on with one that was broken off; nothing is done where it is finished.

    Args:
        arrays: weights of the base.
        draw: gives the lesson of a step by its number, so that a resumed training sees what the whole one sees.
        folder: keeps the checkpoint and the log.
        knobs: how.
        on_checkpoint: called after each checkpoint with the number of finished steps; True ends the training.

    Returns:
        The network with its trained adapters.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = student(arrays, knobs)
    trained = [part for _, layer in adapters(network) for part in (layer.lora_A, layer.lora_B)]
    optimiser = torch.optim.AdamW(trained, lr=knobs.learning_rate, weight_decay=0.01)
    first = _restore(folder / CHECKPOINT, network, optimiser)
    started, seen, sums = time.monotonic(), 0, [0.0, 0.0]
    for step in range(first, knobs.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, knobs)
        lesson = draw(step)
        distance, entropy = losses(network, lesson.batch, wants_text=lesson.text_weight > 0)
        (lesson.states_weight * distance + lesson.text_weight * entropy).backward()
        torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        sums = [sums[0] + float(distance.detach()), sums[1] + float(entropy.detach())]
        seen += 1
        if (step + 1) % knobs.save_every == 0 or step + 1 == knobs.steps:
            _save(folder, network, optimiser, step + 1, knobs)
            _note(folder, step + 1, sums, seen, time.monotonic() - started)
            if on_checkpoint(step + 1, network):
                break
            started, seen, sums = time.monotonic(), 0, [0.0, 0.0]
    return network


def is_due(step: int, share: float) -> bool:
    """Whether a step belongs to the share of the steps that is spread most evenly over all of them."""
    return int((step + 1) * share) > int(step * share)


def _restore(checkpoint: Path, network: Whisper, optimiser: torch.optim.Optimizer) -> int:
    if not checkpoint.exists():
        return 0
    kept: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(kept["adapters"], strict=False)
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["step"])


def _save(folder: Path, network: Whisper, optimiser: torch.optim.Optimizer, step: int, knobs: Knobs) -> None:
    unfinished = folder / f"{CHECKPOINT}.part"
    adapters_only = {name: torch.from_numpy(array) for name, array in adapter_arrays(network).items()}
    torch.save(
        {"adapters": adapters_only, "optimiser": optimiser.state_dict(), "step": step, "knobs": asdict(knobs)},
        unfinished,
    )
    unfinished.replace(folder / CHECKPOINT)


def _note(folder: Path, step: int, sums: list[float], seen: int, seconds: float) -> None:
    line = {"step": step, "states": sums[0] / seen, "text": sums[1] / seen, "seconds": round(seconds, 1)}
    print(json.dumps(line), flush=True)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
