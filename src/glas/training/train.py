"""Training of the embedded network.  Reads from top to bottom: knobs, set-up, loop."""

import math
import os
import time
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed
from torch.nn import functional as F  # noqa: N812

from glas.training.batches import Batch, Source, Variation, batches
from glas.training.model import BLANK, Network, Shape, output_lengths


@dataclass(frozen=True)
class Knobs:
    """Everything that can be turned."""

    processes: int = 1  # data-parallel, one core each; each takes its own `batch_seconds`
    minutes: float = 90.0  # of training in all, resumed runs counted together; the learning rate follows it
    batch_seconds: float = 60.0  # speech per step
    voxforge_share: float = 0.35  # of the utterances drawn
    learning_rate: float = 1.5e-3
    warm_up_steps: int = 400
    decay_from: float = 0.55  # part of the time after which the learning rate falls, along a cosine
    last_learning_rate: float = 2e-5
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    middle_loss: float = 0.3  # weight of the CTC loss at mid depth
    average: float = 0.999  # of the weights that are kept in the end (exponential moving average, per step)
    checkpoint_every_s: float = 120.0
    report_every: int = 100  # steps
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    variation: Variation = field(default_factory=Variation)


@dataclass
class Progress:
    """How far training has come."""

    step: int = 0
    elapsed_s: float = 0.0
    seen_s: float = 0.0  # speech
    loss: float = float("nan")  # per character, smoothed


def learning_rate(knobs: Knobs, progress: Progress) -> float:
    """Linear warm-up, constant, cosine by the time spent."""
    part = min(progress.elapsed_s / (knobs.minutes * 60), 1.0)
    fall = max(part - knobs.decay_from, 0.0) / (1 - knobs.decay_from)
    down = knobs.last_learning_rate + (knobs.learning_rate - knobs.last_learning_rate) * 0.5 * (
        1 + math.cos(math.pi * fall)
    )
    return down * min(1.0, (progress.step + 1) / knobs.warm_up_steps)


def ctc(log_probs: Tensor, batch: Batch, shape: Shape) -> Tensor:
    """CTC loss per character."""
    total = F.ctc_loss(
        log_probs.transpose(0, 1),
        batch.labels,
        output_lengths(shape, batch.lengths),
        batch.label_lengths,
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    return total / (batch.label_lengths.sum() + len(batch.lengths))


def save(
    path: Path,
    knobs: Knobs,
    progress: Progress,
    network: Network,
    average: Network,
    optimiser: torch.optim.Optimizer,
    rng: np.random.Generator,
) -> None:
    """Write everything needed to go on; never leave half a file."""
    state = {
        "shape": asdict(knobs.shape), "progress": asdict(progress), "network": network.state_dict(), "average": average.state_dict(),
        "optimiser": optimiser.state_dict(), "rng": rng.bit_generator.state, "torch_rng": torch.get_rng_state(),
    }  # fmt: skip
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def load_network(path: Path) -> tuple[Network, Progress]:
    """The averaged network of a checkpoint, ready to recognise."""
    state = torch.load(path, weights_only=True)
    shape = Shape(**{**state["shape"], "kernels": tuple(state["shape"]["kernels"])})
    network = Network(shape)
    network.load_state_dict(state["average"])
    return network.eval(), Progress(**state["progress"])


def average_over_processes(network: Network, processes: int, elapsed_s: float) -> float:
    """Average the gradients, and the time spent (returned), over all processes, so that they stay in step."""
    if processes == 1:
        return elapsed_s
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([*(g.flatten() for g in gradients), torch.tensor([elapsed_s])])
    distributed.all_reduce(flat)
    flat /= processes
    position = 0
    for gradient in gradients:
        gradient.copy_(flat[position : position + gradient.numel()].view_as(gradient))
        position += gradient.numel()
    return float(flat[-1])


def train(data: Path, run: Path, knobs: Knobs) -> None:
    """Train until the minutes are spent, going on from the run's checkpoint if there is one."""
    run.mkdir(parents=True, exist_ok=True)
    if knobs.processes == 1:
        train_process(0, data, run, knobs)
    else:
        torch.multiprocessing.spawn(train_process, (data, run, knobs), nprocs=knobs.processes)


def train_process(rank: int, data: Path, run: Path, knobs: Knobs) -> None:
    """One of the processes; number 0 reports and saves."""
    # Set-up
    torch.set_num_threads(1)  # on busy cores more threads wait for each other and are slower
    if knobs.processes > 1:
        meeting = run.absolute() / f"meeting-{os.getppid()}"
        distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=knobs.processes)
    torch.manual_seed(knobs.seed)
    rng = np.random.default_rng(knobs.seed)
    network = Network(knobs.shape)
    average = deepcopy(network).requires_grad_(False)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": knobs.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=knobs.learning_rate, betas=(0.9, 0.98), fused=True)
    progress = Progress()
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        progress = Progress(**state["progress"])
    if rank > 0:  # its own utterances and its own dropout
        rng = np.random.default_rng([knobs.seed, rank, progress.step])
        torch.manual_seed(knobs.seed + 1000 * rank + progress.step)
    synthetic, voxforge = Source(data / "shards", "synthetic", rng), Source(data / "shards", "voxforge-train", rng)
    stream = batches(
        [(synthetic, 1 - knobs.voxforge_share), (voxforge, knobs.voxforge_share)],
        rng,
        knobs.batch_seconds,
        knobs.variation,
    )
    if rank == 0:
        print(
            f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} million parameters, from step {progress.step}",
            flush=True,
        )

    # Loop
    network.train()
    saved = reported = stepped = time.monotonic()
    reported_s = progress.seen_s
    for batch in stream:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(knobs, progress)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            last, middle = network(batch.features, batch.lengths)
        loss = ctc(last, batch, knobs.shape)
        (loss + knobs.middle_loss * ctc(middle, batch, knobs.shape)).backward()
        now = time.monotonic()
        progress.elapsed_s = average_over_processes(network, knobs.processes, progress.elapsed_s + now - stepped)
        stepped = now
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), knobs.clip_norm)
        if torch.isfinite(norm):
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        keep = min(knobs.average, (progress.step + 1) / (progress.step + 10))
        torch._foreach_lerp_(list(average.parameters()), [p.detach() for p in network.parameters()], 1 - keep)

        value = loss.item()
        progress.loss = value if math.isnan(progress.loss) else 0.99 * progress.loss + 0.01 * value
        progress.step += 1
        progress.seen_s += batch.seconds * knobs.processes
        if rank == 0 and progress.step % knobs.report_every == 0:
            speed = (progress.seen_s - reported_s) / (now - reported)
            print(
                f"step {progress.step} loss {progress.loss:.3f} seen {progress.seen_s / 3600:.1f} h of {synthetic.hours:.1f} + {voxforge.hours:.1f} h, "
                f"{progress.elapsed_s / 60:.1f} min, {speed:.0f} times real time, lr {learning_rate(knobs, progress):.1e}, gradient {norm:.2f}",
                flush=True,
            )
            reported, reported_s = now, progress.seen_s
        finished = progress.elapsed_s > knobs.minutes * 60
        if rank == 0 and (finished or now - saved > knobs.checkpoint_every_s):
            save(checkpoint, knobs, progress, network, average, optimiser, rng)
            saved = now
        if finished:
            break
