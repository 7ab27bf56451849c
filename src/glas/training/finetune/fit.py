"""Train the adapter of a fine-tuning: corrected clips, replayed clips between them, and the loss on dev."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glas.engines.whisper.adapter import Factors
from glas.training.adapter.batches import Batches, Channel
from glas.training.adapter.factors import Parts, factors_of
from glas.training.adapter.network import Arrays, Shape, Whisper
from glas.training.adapter.tokens import Tokens
from glas.training.adapter.train import Draw, Knobs, Lesson, is_due, losses, train
from glas.training.sound.augment import Augmentation

TRAIN, DEV, REPLAY = "train", "dev", "replay"  # names of the shards
BEST = "best.npz"
DEV_LOG = "dev.jsonl"
# Of the clips, this share keeps its sound but for level and a faint noise: they come through real microphones already.
UNCHANGED = 0.6
WARM_UP = 10  # one in so many steps belongs to the rise of the learning rate


@dataclass(frozen=True)
class Fit:
    """How an adapter is fitted.

    Attributes:
        epochs: how often each clip is heard.
        batch_size: clips of a step.
        rank: of the adapters, on every linear layer of encoder and decoder.
        learning_rate: at its highest.
        replay_share: share of the steps that hear replayed clips, where there are any.
        patience: checkpoints without a lower loss on dev after which training ends.
        checkpoints: in all at most, spread evenly.
    """

    epochs: int = 6
    batch_size: int = 4
    rank: int = 16
    learning_rate: float = 2e-4
    replay_share: float = 0.3
    patience: int = 3
    checkpoints: int = 12


def fit(
    arrays: Arrays,
    tokens: Tokens,
    clips: Path,
    run: Path,
    how: Fit,
    *,
    n_heads: int | None = None,
    on_step: Callable[[int, int, float], None] = lambda _step, _steps, _loss: None,
) -> Parts:
    """Train, or go on where it stopped; the changes with the lowest loss on dev are returned.

    Args:
        arrays: float32 weights of the base.
        tokens: its tokenizer.
        clips: folder with the shards `train`, `dev` and perhaps `replay`.
        run: keeps checkpoints and logs.
        how: how much.
        n_heads: attention heads of the base; see `Knobs`.
        on_step: told at each checkpoint: finished steps, all steps, loss on dev.
    """
    shape = Shape.of(arrays)

    def batches(name: str, channel: Channel, **options: Any) -> Batches:
        size = how.batch_size
        return Batches(
            clips, [name], tokens, channel, size=size, n_mels=shape.n_mels, n_positions=shape.n_positions, **options
        )

    learn = batches(TRAIN, Augmentation(clean=UNCHANGED))
    has_replay = (clips / f"{REPLAY}.jsonl").exists()
    replay = batches(REPLAY, Augmentation(), seed=1) if has_replay else None
    measured = batches(DEV, _unchanged, joined=0.0)
    n_steps = round(how.epochs * len(learn) / (1 - (how.replay_share if replay else 0)))
    knobs = Knobs(
        steps=n_steps,
        learning_rate=how.learning_rate,
        encoder_rank=how.rank,
        decoder_rank=how.rank,
        save_every=max(1, ceil(n_steps / how.checkpoints)),
        warm_up=max(1, n_steps // WARM_UP),
        n_heads=n_heads,
    )
    dev = [Lesson(measured.draw(number), text_weight=1.0) for number in range(len(measured))]
    watch = _Watch(run, dev, how.patience, lambda step, loss: on_step(step, n_steps, loss))
    network = train(arrays, _draw(learn, replay, how.replay_share), run, knobs, watch)
    return watch.best() or factors_of(network)


def _draw(learn: Batches, replay: Batches | None, replay_share: float) -> Draw:
    def draw(step: int) -> Lesson:
        if replay is None:
            return Lesson(learn.draw(step), text_weight=1.0)
        n_replayed = int(step * replay_share)
        if is_due(step, replay_share):
            return Lesson(replay.draw(n_replayed), text_weight=1.0)
        return Lesson(learn.draw(step - n_replayed), text_weight=1.0)

    return draw


def _unchanged(_rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    return samples


class _Watch:
    """Measures the loss on dev at each checkpoint, keeps the best changes, and ends a training that only gets worse."""

    def __init__(self, run: Path, dev: Sequence[Lesson], patience: int, on_step: Callable[[int, float], None]) -> None:
        self._run, self._dev, self._patience, self._on_step = run, dev, patience, on_step

    def __call__(self, step: int, network: Whisper) -> bool:
        loss = _loss(network, self._dev)
        seen = [one for one in self._seen() if one[0] < step]
        is_best = all(loss < before for _, before in seen)
        if is_best:
            self._keep(factors_of(network))
        lines = [json.dumps({"step": at, "loss": round(one, 5)}) + "\n" for at, one in [*seen, (step, loss)]]
        (self._run / DEV_LOG).write_text("".join(lines), encoding="utf-8")
        self._on_step(step, loss)
        losses_seen = [one for _, one in seen] + [loss]
        return len(losses_seen) - 1 - losses_seen.index(min(losses_seen)) >= self._patience

    def best(self) -> Parts | None:
        """The changes with the lowest loss so far."""
        path = self._run / BEST
        if not path.exists():
            return None
        with np.load(path) as stored:
            names = {name.rpartition(".")[0] for name in stored.files}
            return {name: Factors(stored[f"{name}.a"], stored[f"{name}.b"]) for name in sorted(names)}

    def _keep(self, parts: Parts) -> None:
        arrays: dict[str, Any] = {
            f"{name}.{letter}": one for name, pair in parts.items() for letter, one in zip("ab", pair, strict=True)
        }
        unfinished = self._run / f"part-{BEST}"
        np.savez(unfinished, **arrays)
        unfinished.replace(self._run / BEST)

    def _seen(self) -> list[tuple[int, float]]:
        path = self._run / DEV_LOG
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(row["step"], row["loss"]) for row in map(json.loads, lines)]


@torch.no_grad()
def _loss(network: Whisper, lessons: Sequence[Lesson]) -> float:
    """Mean cross-entropy of the next token over all tokens of the batches."""
    total, count = 0.0, 0
    for lesson in lessons:
        n_tokens = int(lesson.batch.is_text.sum())
        total += float(losses(network, lesson.batch, wants_text=True)[1]) * n_tokens
        count += n_tokens
    return total / max(count, 1)
