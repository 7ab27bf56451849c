"""Test adapters on a small network: no change at first, learning, resuming, and saving."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.engines.whisper.adapter import Adapter, merge, read_adapter, write_adapter
from glas.training.adapter.batches import IGNORED, Batches
from glas.training.adapter.factors import as_adapter, combine, factors_of
from glas.training.adapter.lora import adapters, without_adapters
from glas.training.adapter.network import Arrays, Whisper
from glas.training.adapter.teacher import open_targets, write_targets
from glas.training.adapter.train import (
    CHECKPOINT,
    LOG,
    DrawBatch,
    Hyperparameters,
    WeightedBatch,
    base_divergence,
    losses,
    student,
    train,
)
from glas.training.sound.augment import Augmentation
from glas.training.sound.clips import open_clips, write_clips
from tests.models.conftest import one_thread
from tests.unit.small_network import WIDTH, FewTokens, small_arrays

HYPERPARAMETERS = Hyperparameters(steps=4, encoder_rank=2, decoder_rank=2, save_every=2)


@pytest.fixture(autouse=True, scope="module")
def _in_one_thread() -> Iterator[None]:
    with one_thread():
        yield


def mixed(batches: Batches, text_weight: float) -> DrawBatch:
    """Yield batches of texts and of the teacher's states in turn."""
    return lambda step: (
        WeightedBatch(batches.draw(step), text_weight=1.0)
        if step % 2
        else WeightedBatch(batches.draw(step), states_weight=1.0, text_weight=text_weight)
    )


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return small_arrays()


@pytest.fixture
def batches(tmp_path: Path, arrays: Arrays) -> Batches:
    rng = np.random.default_rng(1)
    sounds = [
        (text, "voice", (rng.standard_normal(16_000 * 2) * 0.1).astype(np.float32)) for text in ("да", "нет", "а", "ой")
    ]
    write_clips(tmp_path / "clips", "one", sounds)
    write_targets(tmp_path / "clips", "one", Whisper(arrays).eval(), FewTokens())  # type: ignore[arg-type]
    tokens: Any = FewTokens()
    return Batches(tmp_path / "clips", ["one"], tokens, lambda _, samples, _others: samples, size=2, wants_states=True)


def moved(arrays: Arrays) -> Whisper:
    """Make a network whose adapters change the output."""
    network = student(arrays, HYPERPARAMETERS)
    network.eval()
    for _, layer in adapters(network):
        torch.nn.init.normal_(layer.lora_B, std=0.5)
    return network


def test_the_divergence_from_the_base_is_zero_until_something_is_learnt(arrays: Arrays, batches: Batches) -> None:
    """The computation of the divergence leaves the adapters active."""
    batch = batches.draw(0)
    assert base_divergence(student(arrays, HYPERPARAMETERS).eval(), batch).item() == pytest.approx(0, abs=1e-6)
    network = moved(arrays)
    assert float(base_divergence(network, batch).detach()) > 0.01
    assert all(layer.is_active for _, layer in adapters(network))


def test_without_adapters_a_network_is_its_base(arrays: Arrays, batches: Batches) -> None:
    batch = batches.draw(0)
    network = moved(arrays)
    with torch.no_grad():
        changed = network.encoder(batch.mel)
        with without_adapters(network):
            np.testing.assert_array_equal(network.encoder(batch.mel), Whisper(arrays).eval().encoder(batch.mel))
        assert not torch.equal(changed, Whisper(arrays).eval().encoder(batch.mel))


def test_steps_that_keep_the_base_undo_a_change(arrays: Arrays, batches: Batches) -> None:
    """The gradient of the divergence leads back to the base model."""
    network = moved(arrays)
    batch = batches.draw(0)
    optimiser = torch.optim.SGD([layer.lora_B for _, layer in adapters(network)], lr=0.05)
    before = float(base_divergence(network, batch).detach())
    for _ in range(20):
        optimiser.zero_grad()
        base_divergence(network, batch).backward()
        optimiser.step()
    assert float(base_divergence(network, batch).detach()) < 0.7 * before


def test_the_losses_are_logged_apart(tmp_path: Path, arrays: Arrays, batches: Batches) -> None:
    """A step with the divergence does not count as a step with a text."""

    def draw(step: int) -> WeightedBatch:
        weights = {"text_weight": 1.0} if step % 2 else {"base_weight": 1.0}
        return WeightedBatch(batches.draw(step), **weights)

    train(arrays, draw, tmp_path / "run", HYPERPARAMETERS)
    rows = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert [set(row) for row in rows] == [{"step", "states", "text", "base", "seconds"}] * 2
    assert rows[0]["text"] > 1
    assert rows[1]["base"] > 0


def test_clips_come_back_as_they_were_written(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 1000, dtype=np.float32)
    write_clips(tmp_path, "one", [("раз", "anna", samples), ("два", "irina", samples[:10])])
    shard = open_clips(tmp_path, "one")
    assert [(clip.text, clip.voice, clip.count) for clip in shard.clips] == [
        ("раз", "anna", 1000),
        ("два", "irina", 10),
    ]
    np.testing.assert_allclose(shard.samples_of(shard.clips[0]), samples, atol=1e-4)


def test_labels_are_the_next_tokens_and_states_stand_where_labels_do(batches: Batches) -> None:
    batch = batches.draw(0)
    for row in range(2):
        counted = batch.labels[row] != IGNORED
        assert not counted[0], "the prompt is not learnt"
        assert batch.labels[row][counted][-1] == 0
        assert (
            batch.tokens[row][1 : int(counted.sum())].tolist()[1:]
            == batch.labels[row][counted][:-1].tolist()[: int(counted.sum()) - 2]
        )
    assert batch.states is not None
    assert (batch.states[:, batch.is_text] != 0).any(dim=-1).all()
    assert (batch.states[:, ~batch.is_text] == 0).all()
    assert 100 - 8 <= batch.mel.shape[2] // 2 <= 100 + 33


def test_the_same_step_draws_the_same_batch(batches: Batches) -> None:
    assert torch.equal(batches.draw(3).mel, batches.draw(3).mel)
    assert {batches.draw(step).tokens.shape for step in range(len(batches))}


def test_adapters_change_nothing_before_they_learn_and_lower_the_loss(
    arrays: Arrays, batches: Batches, tmp_path: Path
) -> None:
    batch = batches.draw(0)
    with torch.no_grad():
        plain = losses(Whisper(arrays), batch, wants_text=True)
        adapted = losses(student(arrays, HYPERPARAMETERS), batch, wants_text=True)
    assert float(plain[0]) == pytest.approx(float(adapted[0]), rel=1e-3)
    assert float(plain[1]) == pytest.approx(float(adapted[1]), rel=1e-3)
    network = train(arrays, mixed(batches, 0.1), tmp_path / "run", Hyperparameters(40, 3e-3, 4, 4))
    with torch.no_grad():
        learnt = losses(network, batch, wants_text=True)
    assert learnt[1] < plain[1]


def test_a_training_ends_when_the_watcher_says_so(arrays: Arrays, batches: Batches, tmp_path: Path) -> None:
    seen: list[int] = []

    def watch(step: int, _network: Whisper) -> bool:
        seen.append(step)
        return step == 4

    train(arrays, mixed(batches, 0.0), tmp_path / "run", Hyperparameters(12, 3e-3, 2, 2, save_every=2), watch)
    assert seen == [2, 4]


class BrokenOffError(Exception):
    """The error that interrupts a training."""


def test_a_run_that_was_broken_off_ends_as_if_it_had_not_been(arrays: Arrays, batches: Batches, tmp_path: Path) -> None:
    def draw(step: int) -> WeightedBatch:
        return WeightedBatch(batches.draw(step), states_weight=1.0)

    def until_the_third(step: int) -> WeightedBatch:
        if step == 3:
            raise BrokenOffError
        return draw(step)

    whole = factors_of(train(arrays, draw, tmp_path / "whole", HYPERPARAMETERS))
    with pytest.raises(BrokenOffError):
        train(arrays, until_the_third, tmp_path / "parts", HYPERPARAMETERS)
    assert torch.load(tmp_path / "parts" / CHECKPOINT, weights_only=True)["step"] == 2
    again = factors_of(train(arrays, draw, tmp_path / "parts", HYPERPARAMETERS))
    for name, pair in whole.items():
        np.testing.assert_allclose(again[name].b, pair.b, rtol=1e-5, atol=1e-7)


def test_a_checkpoint_that_nobody_looked_at_is_shown_by_the_next_run(
    arrays: Arrays, batches: Batches, tmp_path: Path
) -> None:
    """A training may be killed between a checkpoint and its measurement, or after it was told to end."""
    seen: list[int] = []

    def watch(step: int, _network: Whisper) -> bool:
        seen.append(step)
        if seen == [2]:
            raise BrokenOffError
        return step == 4

    options = Hyperparameters(12, 3e-3, 2, 2, save_every=2)
    with pytest.raises(BrokenOffError):
        train(arrays, mixed(batches, 0.0), tmp_path / "run", options, watch)
    for _ in range(2):
        train(arrays, mixed(batches, 0.0), tmp_path / "run", options, watch)
    assert seen == [2, 2, 4, 4]


def test_factors_merged_into_the_weights_do_what_the_adapters_do(
    arrays: Arrays, batches: Batches, tmp_path: Path
) -> None:
    network = train(arrays, mixed(batches, 0.0), tmp_path / "run", Hyperparameters(20, 3e-3, 4, 2))
    parts = factors_of(network)
    assert {len(pair.a) for name, pair in parts.items() if name.startswith("encoder")} == {4}
    write_adapter(tmp_path / "adapter", as_adapter(parts, "small", "", {}))
    merged = Whisper(merge(arrays, read_adapter(tmp_path / "adapter")))
    batch = batches.draw(0)
    with torch.no_grad():
        ours, theirs = losses(network, batch, wants_text=True), losses(merged, batch, wants_text=True)
    assert float(theirs[0]) == pytest.approx(float(ours[0]), rel=0.05)
    assert float(theirs[1]) == pytest.approx(float(ours[1]), rel=0.05)


def test_changes_are_put_together_with_their_shares(arrays: Arrays) -> None:
    torch.manual_seed(0)
    network = student(arrays, Hyperparameters(1, encoder_rank=2, decoder_rank=0))
    for _, layer in adapters(network):
        layer.lora_B.data.normal_()
    parts = factors_of(network)
    both = combine([(parts, 1.0), (parts, 0.5)])
    name = next(iter(parts))
    np.testing.assert_allclose(both[name].b @ both[name].a, 1.5 * parts[name].b @ parts[name].a, rtol=1e-4, atol=1e-6)
    adapter: Adapter = as_adapter(both, "small", "", {})
    assert adapter.rank == 4


def test_targets_are_computed_once(batches: Batches) -> None:
    shard = open_clips(batches.folder, "one")
    targets = open_targets(batches.folder, shard)
    assert targets is not None
    assert targets.of(0).shape == (1, 3, WIDTH), "the prompt's last token and the two of «да»"


def test_a_step_has_the_same_batch_whatever_was_drawn_before(tmp_path: Path) -> None:
    """Otherwise a training that was killed would learn from other background voices, and end with another model."""
    rng = np.random.default_rng(1)
    sounds = [(text, "voice", (rng.standard_normal(8_000) * 0.1).astype(np.float32)) for text in "абвгдежз"]
    write_clips(tmp_path, "one", sounds)

    def batches() -> Batches:
        return Batches(tmp_path, ["one"], FewTokens(), Augmentation(clean=0), size=4)  # type: ignore[arg-type]

    undisturbed, resumed = batches(), batches()
    expected = [undisturbed.draw(step) for step in range(30)]
    for step in (29, 12, 20):
        found = resumed.draw(step)
        assert torch.equal(found.mel, expected[step].mel), step
