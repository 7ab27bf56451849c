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

from glas.training.network.batches import Batch, Source, Variation, batches
from glas.training.network.model import BLANK, Network, Shape, output_lengths
from glas.training.voices.voxforge import BandMap


@dataclass(frozen=True)
class Knobs:
    """Everything that can be turned."""

    processes: int = 1  # data-parallel, one core each; each takes its own `batch_seconds`
    minutes: float = 90.0  # of training in all, resumed runs counted together; the learning rate follows it
    pause_at: float = 1.0  # part of the minutes after which to stop for now; the learning rate follows the whole
    batch_seconds: float = 60.0  # speech per step
    voxforge_share: float = 0.5  # of the utterances drawn
    natural_share: float = 0.3  # RHVoice; the rest is espeak-ng
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


@dataclass
class Run:
    """What changes while training and lies in the checkpoint."""

    knobs: Knobs
    network: Network
    average: Network  # the weights that are kept in the end
    optimiser: torch.optim.Optimizer
    rng: np.random.Generator
    progress: Progress

    @classmethod
    def begin(cls, knobs: Knobs) -> "Run":
        """A fresh network, by seed."""
        torch.manual_seed(knobs.seed)
        network = Network(knobs.shape)
        groups = [
            {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": knobs.weight_decay},
            {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=knobs.learning_rate, betas=(0.9, 0.98), fused=True)
        average = deepcopy(network).requires_grad_(requires_grad=False)
        return cls(knobs, network, average, optimiser, np.random.default_rng(knobs.seed), Progress())

    def save(self, path: Path) -> None:
        """Write everything needed to go on; never leave half a file."""
        state = {
            "shape": asdict(self.knobs.shape),
            "progress": asdict(self.progress),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def resume(self, path: Path) -> None:
        """Go on where the checkpoint stands."""
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        self.progress = Progress(**state["progress"])


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


def step(run: Run, batch: Batch, elapsed_s: float) -> float:
    """Learn from one batch; `elapsed_s` is the time since the last step.  Returns the gradient's norm."""
    knobs, progress = run.knobs, run.progress
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(knobs, progress)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        last, middle = run.network(batch.features, batch.lengths)
    loss = ctc(last, batch, knobs.shape)
    (loss + knobs.middle_loss * ctc(middle, batch, knobs.shape)).backward()
    progress.elapsed_s = average_over_processes(run.network, knobs.processes, progress.elapsed_s + elapsed_s)
    norm = float(torch.nn.utils.clip_grad_norm_(run.network.parameters(), knobs.clip_norm))
    if math.isfinite(norm):
        run.optimiser.step()
    run.optimiser.zero_grad(set_to_none=True)
    keep = min(knobs.average, (progress.step + 1) / (progress.step + 10))
    with torch.no_grad():
        for kept, current in zip(run.average.parameters(), run.network.parameters(), strict=True):
            kept.lerp_(current, 1 - keep)
    value = loss.item()
    progress.loss = value if math.isnan(progress.loss) else 0.99 * progress.loss + 0.01 * value
    progress.step += 1
    progress.seen_s += batch.seconds * knobs.processes
    return norm


def train(data: Path, folder: Path, knobs: Knobs) -> None:
    """Train until the minutes are spent, going on from the folder's checkpoint if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    if knobs.processes == 1:
        train_process(0, data, folder, knobs)
    else:
        torch.multiprocessing.spawn(train_process, (data, folder, knobs), nprocs=knobs.processes)


def train_process(rank: int, data: Path, folder: Path, knobs: Knobs) -> None:
    """One of the processes; number 0 reports and saves."""
    # Set-up
    torch.set_num_threads(1)  # on busy cores more threads wait for each other and are slower
    if knobs.processes > 1:
        meeting = folder.absolute() / f"meeting-{os.getppid()}"
        distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=knobs.processes)
    run, checkpoint = Run.begin(knobs), folder / "checkpoint.pt"
    if checkpoint.exists():
        run.resume(checkpoint)
    if rank > 0:  # its own utterances and its own dropout
        run.rng = np.random.default_rng([knobs.seed, rank, run.progress.step])
        torch.manual_seed(knobs.seed + 1000 * rank + run.progress.step)
    shares = {"synthetic": 1 - knobs.natural_share - knobs.voxforge_share, "natural": knobs.natural_share}
    shares["voxforge-train"] = knobs.voxforge_share
    mixture = [(Source(data / "shards", name, run.rng), share) for name, share in shares.items()]
    narrow = BandMap.load(data / "map.npz").narrow
    millions = sum(p.numel() for p in run.network.parameters()) / 1e6
    print(f"process {rank}: {millions:.2f} million parameters, from step {run.progress.step}", flush=True)

    # Loop
    run.network.train()
    saved = reported = stepped = time.monotonic()
    for batch in batches(mixture, run.rng, knobs.batch_seconds, knobs.variation, narrow):
        now = time.monotonic()
        norm = step(run, batch, now - stepped)
        stepped = now
        if rank == 0 and run.progress.step % knobs.report_every == 0:
            speed = knobs.report_every * knobs.processes * batch.seconds / (now - reported)
            print(report(run, [source.hours for source, _ in mixture], speed, norm), flush=True)
            reported = now
        finished = run.progress.elapsed_s > knobs.minutes * 60 * knobs.pause_at
        if rank == 0 and (finished or now - saved > knobs.checkpoint_every_s):
            run.save(checkpoint)
            saved = now
        if finished:
            break


def report(run: Run, hours: list[float], speed: float, norm: float) -> str:
    """One line for the log; `speed` is a rough multiple of real time."""
    progress, there = run.progress, " + ".join(f"{each:.1f}" for each in hours)
    return (
        f"step {progress.step} loss {progress.loss:.3f} seen {progress.seen_s / 3600:.1f} h "
        f"of {there} h, {progress.elapsed_s / 60:.1f} min, {speed:.0f} times real time, "
        f"lr {learning_rate(run.knobs, progress):.1e}, gradient {norm:.2f}"
    )
