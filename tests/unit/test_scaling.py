"""Test that the model of waiting times agrees with a simulation, and the simulation with the batcher."""

import threading
from collections.abc import Sequence
from concurrent.futures import wait

import numpy as np
import pytest

from benchmarks.queueing.model import Sojourn
from benchmarks.queueing.plan import plan
from benchmarks.queueing.simulation import order, simulate
from benchmarks.queueing.traffic import Burst, Lengths, Machine, day, pieces, profile
from glas.domain.decoding import PLAIN, Abilities, DecodingOptions
from glas.domain.transcription import SAMPLE_RATE_HZ, Hypothesis, Samples
from glas.recognition.batcher import Batcher
from glas.recognition.job import Job


@pytest.mark.parametrize("cores", [2, 4])
@pytest.mark.parametrize("load", [0.3, 0.6, 0.9])
def test_the_model_predicts_the_simulation(cores: int, load: float) -> None:
    """The 50th and 95th percentiles agree within 15 %."""
    random, machine, lengths = np.random.default_rng(3), Machine(cores), Lengths()
    drawn = lengths.draw(random, 50_000)
    recordings = [pieces(random, length_s) for length_s in drawn.tolist()]
    every_s = (machine.fixed_s + machine.per_second * drawn).mean() / cores / load
    times = simulate(machine, np.cumsum(random.exponential(every_s, len(drawn))).tolist(), recordings)
    model = Sojourn(machine, lengths, load).percentiles_s(50, 95)
    assert model == pytest.approx(np.percentile(times, [50, 95]).tolist(), rel=0.15)


def test_a_recording_alone_takes_its_work() -> None:
    machine = Machine(cores=2, fixed_s=0.5, per_second=0.1)
    assert simulate(machine, [0, 100], [[10], [20, 10]]) == pytest.approx([1.5, 2.5])


def test_messages_beside_a_long_recording_get_a_worker_of_their_own() -> None:
    """Three pieces share two cores; without the extra worker, the message would wait for a whole piece."""
    machine = Machine(cores=2, fixed_s=0, per_second=0.1)
    times = simulate(machine, [0, 0], [[20, 20, 20, 20], [5]])
    assert times[1] == pytest.approx(0.5 * 3 / 2)


class Recorder:
    """An engine that waits until the test lets it continue, and records the lengths of pieces in order."""

    name = "recorder"
    window_s = 30.0
    abilities = Abilities(batch_size=1, batch_s=64)

    def __init__(self) -> None:
        self.door = threading.Event()
        self.inside = threading.Semaphore(0)
        self.order: list[float] = []

    def recognise(self, batch: Sequence[Samples], _options: DecodingOptions = PLAIN) -> list[Hypothesis]:
        self.order.append(round(len(batch[0]) / SAMPLE_RATE_HZ, 3))
        self.inside.release()
        assert self.door.wait(20)
        return [Hypothesis(text="", duration_s=1, model=self.name) for _ in batch]

    def close(self) -> None:
        """Do nothing."""


def test_the_simulation_takes_pieces_in_the_order_of_the_batcher() -> None:
    """Recordings of one to five pieces wait together."""
    random = np.random.default_rng(5)
    recordings = [[1.0]] + [
        (random.integers(100, 280, random.integers(1, 6)) / 100 + 0.001 * number).round(3).tolist()
        for number in range(12)
    ]
    batcher, engine = Batcher(1), Recorder()
    futures = []
    for number, parts in enumerate(recordings):
        job = Job()
        for length_s in parts:
            futures.append(batcher.submit(job, engine, np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)))  # noqa: PERF401
        if not number:
            assert engine.inside.acquire(timeout=20)
    engine.door.set()
    wait(futures, 20)
    batcher.close()
    flat = [length_s for parts in recordings for length_s in parts]
    assert engine.order == [flat[number] for number in order(Machine(cores=1), recordings)]


def test_pieces_are_what_segmentation_allows() -> None:
    random = np.random.default_rng(1)
    for length_s in Lengths(40).draw(random, 500).tolist():
        parts = pieces(random, length_s)
        assert sum(parts) == pytest.approx(length_s)
        assert max(parts) <= 28
        assert all(part >= 20 for part in parts[:-1])


def test_a_day_has_its_number_of_recordings_its_evening_and_its_burst() -> None:
    assert profile().mean() == pytest.approx(1)
    quiet, burst = (day(np.random.default_rng(1), 100_000, one) for one in (None, Burst(20 * 3600, 600, 3)))
    assert len(quiet) == pytest.approx(100_000, rel=0.02)
    counts = np.histogram(quiet, 24, (0, 86_400))[0]
    assert counts.argmax() in range(16, 22)
    assert counts.max() / counts.mean() == pytest.approx(profile().max(), rel=0.05)
    within = [((times >= 72_000) & (times < 72_600)).sum() for times in (quiet, burst)]
    assert within[1] == pytest.approx(3 * within[0], rel=0.2)


def test_machines_grow_with_messages_and_meet_the_goal() -> None:
    machine, lengths = Machine(), Lengths()
    small, large = (plan(machine, lengths, number, reserve=1.5, p95_s=10) for number in (1e6, 5e7))
    assert large.machines == pytest.approx(50 * small.machines, rel=0.1)
    assert large.p95_s <= 10.2
    assert plan(machine, lengths, 1e6, reserve=1.5, p95_s=3).machines > small.machines
    with pytest.raises(ValueError, match="faster cores"):
        plan(machine, lengths, 1e6, reserve=1.5, p95_s=0.5)
