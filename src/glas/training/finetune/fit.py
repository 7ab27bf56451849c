"""Train the adapter of a fine-tuning on corrected and replayed clips; stop early if the loss on dev does not fall."""

import json
from collections.abc import Callable
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from glas.engines.whisper.adapter import Factors
from glas.system.files import put_in_place, replace_text
from glas.training.adapter.batches import Batches
from glas.training.adapter.factors import AdapterFactors, factors_of
from glas.training.adapter.network import Arrays, Shape, Whisper
from glas.training.adapter.tokens import Tokens
from glas.training.adapter.train import LOG, DrawBatch, Hyperparameters, WeightedBatch, is_due, train
from glas.training.finetune.recipe import FitOptions
from glas.training.finetune.shards import DEV, REPLAY, TRAIN
from glas.training.finetune.text_loss import clips_as_recorded, text_loss
from glas.training.sound.augment import Augmentation

BEST = "best.npz"
DEV_LOG = "dev.jsonl"
# This share of the clips gets no effects except another level and a faint noise, because the clips were recorded by
# real microphones.
UNCHANGED = 0.6
WARM_UP = 10  # the learning rate rises in the first tenth of the steps


def fit(
    arrays: Arrays,
    tokens: Tokens,
    clips: Path,
    run: Path,
    options: FitOptions,
    *,
    n_heads: int | None = None,
    device: str = "cpu",
    on_step: Callable[[int, int, float], None] = lambda _step, _steps, _loss: None,
) -> AdapterFactors:
    """Train an adapter, or resume its training; return the adapter at the checkpoint with the lowest loss on dev.

    Args:
        arrays: float32 weights of the base model.
        tokens: tokenizer of the base model.
        clips: directory with the shards `train`, `dev` and optionally `replay`.
        run: directory for checkpoints and logs.
        options: options of the training.
        n_heads: number of attention heads of the base model; see `Hyperparameters`.
        device: device of torch on which the training computes; see `chosen_device`.
        on_step: function that is called at each checkpoint with the number of finished steps, the number of all steps,
            and the loss on dev.
    """
    shape = Shape.of(arrays)
    make_batches = partial(
        Batches, clips, tokens=tokens, size=options.batch_size, n_mels=shape.n_mels, n_positions=shape.n_positions
    )
    corrected = make_batches([TRAIN], channel=Augmentation(clean=UNCHANGED))
    has_replay = (clips / f"{REPLAY}.jsonl").exists()
    replay = make_batches([REPLAY], channel=Augmentation(), seed=1) if has_replay else None
    n_steps = round(options.epochs * len(corrected) / (1 - (options.replay_share if replay else 0)))
    dev = clips_as_recorded(clips, DEV, tokens, shape)
    stopping = _EarlyStopping(run, dev, options.patience, lambda step, loss: on_step(step, n_steps, loss))
    draw = _draw(corrected, replay, options)
    network = train(arrays, draw, run, _hyperparameters(options, n_steps, n_heads, device), stopping)
    return stopping.best() or factors_of(network)


def training_seconds(run: Path) -> float:
    """Return how many seconds the steps of a training took, according to the log in its directory."""
    lines = (run / LOG).read_text(encoding="utf-8").splitlines()
    return round(sum(float(json.loads(line)["seconds"]) for line in lines), 1)


def _hyperparameters(options: FitOptions, n_steps: int, n_heads: int | None, device: str) -> Hyperparameters:
    return Hyperparameters(
        steps=n_steps,
        learning_rate=options.learning_rate,
        encoder_rank=options.rank,
        decoder_rank=options.rank,
        save_every=max(1, ceil(n_steps / options.checkpoints)),
        warm_up=max(1, n_steps // WARM_UP),
        n_heads=n_heads,
        device=device,
    )


def _draw(corrected: Batches, replay: Batches | None, options: FitOptions) -> DrawBatch:
    """Return a function that draws the batch of a step.

    The part `options.replay_share` of the steps gets replayed clips, and all other steps get corrected clips.

    In steps with replayed clips, the model learns to give each next token the same probability as the base model does.
    The model is expected to forget less in this way than if it learnt the texts of the replayed clips. A comparison of
    these two ways, in docs/lab-notes.md, is not finished.
    """

    def draw(step: int) -> WeightedBatch:
        if replay is None:
            return WeightedBatch(corrected.draw(step), text_weight=1.0)
        n_replayed = int(step * options.replay_share)
        if is_due(step, options.replay_share):
            return WeightedBatch(replay.draw(n_replayed), base_weight=options.base_weight)
        return WeightedBatch(corrected.draw(step - n_replayed), text_weight=1.0)

    return draw


class _EarlyStopping:
    """Measures the loss on dev at each checkpoint, and stores the adapter with the lowest loss.

    It ends the training if no checkpoint among the last `patience` checkpoints has a lower loss than earlier ones.
    """

    def __init__(self, run: Path, dev: Batches, patience: int, on_step: Callable[[int, float], None]) -> None:
        self._run, self._dev, self._patience, self._on_step = run, dev, patience, on_step

    def __call__(self, step: int, network: Whisper) -> bool:
        loss = text_loss(network, self._dev)
        seen = [one for one in self._seen() if one[0] < step]
        is_best = all(loss < before for _, before in seen)
        if is_best:
            self._keep(factors_of(network))
        lines = [json.dumps({"step": at, "loss": round(one, 5)}) + "\n" for at, one in [*seen, (step, loss)]]
        replace_text(self._run / DEV_LOG, "".join(lines))
        self._on_step(step, loss)
        losses_seen = [one for _, one in seen] + [loss]
        return len(losses_seen) - 1 - losses_seen.index(min(losses_seen)) >= self._patience

    def best(self) -> AdapterFactors | None:
        """Return the adapter with the lowest loss so far; None before the first checkpoint."""
        path = self._run / BEST
        if not path.exists():
            return None
        with np.load(path) as stored:
            names = {name.rpartition(".")[0] for name in stored.files}
            return {name: Factors(stored[f"{name}.a"], stored[f"{name}.b"]) for name in sorted(names)}

    def _keep(self, factors: AdapterFactors) -> None:
        arrays: dict[str, Any] = {
            f"{name}.{letter}": one for name, pair in factors.items() for letter, one in zip("ab", pair, strict=True)
        }
        unfinished = self._run / f"part-{BEST}"
        np.savez(unfinished, **arrays)
        put_in_place(unfinished, self._run / BEST)

    def _seen(self) -> list[tuple[int, float]]:
        path = self._run / DEV_LOG
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(row["step"], row["loss"]) for row in map(json.loads, lines)]
