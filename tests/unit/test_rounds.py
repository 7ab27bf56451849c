"""Test what identifies a round of learning: everything that determines the model or the verdict about it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.recognition.gate import GateLimits
from glas.recognition.references import ReferenceSet, Utterance
from glas.training.finetune.base import Base
from glas.training.finetune.recipe import FinetuneRecipe, FitOptions
from glas.training.rounds import RoundPlan, recipe_hash, verdict_hash

Change = Callable[[RoundPlan, Path], RoundPlan]


def recordings(folder: Path, sound: bytes = b"sound", text: str = "слова") -> ReferenceSet:
    folder.mkdir(parents=True)
    path = folder / "0.wav"
    path.write_bytes(sound)
    return ReferenceSet(folder.name, (Utterance(path, path.name, text),))


@pytest.fixture
def plan(tmp_path: Path) -> RoundPlan:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "model.bin").write_bytes(b"weights")
    return RoundPlan(
        base=Base(tmp_path / "base", tmp_path / "base"),
        export=tmp_path,
        datasets=tmp_path,
        rounds=tmp_path,
        test=recordings(tmp_path / "test"),
        guards=[recordings(tmp_path / "guard", b"guard")],
        kept=[recordings(tmp_path / "keep", b"keep")],
    )


def another_base(plan: RoundPlan, folder: Path) -> RoundPlan:
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"other weights")
    return replace(plan, base=Base(folder, folder))


MODEL: dict[str, Change] = {
    "epochs": lambda plan, _: replace(plan, recipe=FinetuneRecipe(fit=FitOptions(epochs=1))),
    "shares": lambda plan, _: replace(plan, recipe=FinetuneRecipe(shares=(0.5,))),
    "kept sound": lambda plan, folder: replace(plan, kept=[recordings(folder, b"other")]),
    "no kept set": lambda plan, _: replace(plan, kept=[]),
    "base": another_base,
}
VERDICT: dict[str, Change] = {
    "test sound": lambda plan, folder: replace(plan, test=recordings(folder, b"other")),
    "test text": lambda plan, folder: replace(plan, test=recordings(folder, text="другие слова")),
    "test of the version": lambda plan, _: replace(plan, test=None),
    "one more guard": lambda plan, folder: replace(plan, guards=[*plan.guards, recordings(folder)]),
    "limits": lambda plan, _: replace(plan, limits=GateLimits(least_gain=0.1)),
}
NEITHER: dict[str, Change] = {
    "threads": lambda plan, _: replace(plan, recipe=FinetuneRecipe(threads=2)),
    "language": lambda plan, _: replace(plan, language="en"),
    "least minutes": lambda plan, _: replace(plan, least_minutes=1),
    "the same test elsewhere": lambda plan, folder: replace(plan, test=recordings(folder)),
}


@pytest.mark.parametrize("change", [*MODEL, *VERDICT, *NEITHER])
def test_only_what_decides_a_model_or_a_verdict_changes_its_hash(plan: RoundPlan, tmp_path: Path, change: str) -> None:
    changed = (MODEL | VERDICT | NEITHER)[change](plan, tmp_path / "changed")
    assert (recipe_hash(changed) != recipe_hash(plan)) == (change in MODEL)
    assert (verdict_hash(changed) != verdict_hash(plan)) == (change in VERDICT)
