"""One round of learning: dataset version, fine-tuning, gate, release.

A round belongs to a dataset version, whose name is a hash of its content. So a round that was killed goes on where it
stopped, and what was learnt once is not learnt again: the next version with nothing new in it has the same name.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from glas.domain.errors import DataSetError
from glas.domain.model_ref import ModelRef
from glas.domain.splits import Split
from glas.localisation import catalogue, rounded
from glas.localisation.catalogue import LANGUAGES
from glas.recognition.gate import Condition, GateLimits
from glas.recognition.gate_report import write_report
from glas.recognition.references import ReferenceSet, Utterance
from glas.recognition.trial import TestData, TrialResult, try_candidate
from glas.settings import Settings
from glas.system.files import to_disk
from glas.training.datasets import Dataset, Example, open_dataset, read_version
from glas.training.datasets.making import Rules, make_version
from glas.training.datasets.reading import REPLAY
from glas.training.datasets.version import Version
from glas.training.finetune.base import Base
from glas.training.finetune.recipe import FinetuneData, FinetuneRecipe, Report, finetune, silent

ROUND, REPORT, WORK = "round.json", "report", "work"


class Outcome(StrEnum):
    """How a round ended."""

    TOO_LITTLE = "too_little"  # not enough new minutes since the last round
    NOT_BETTER = "not_better"  # no share of the change is better on dev
    REFUSED = "refused"  # the gate
    PASSED = "passed"  # the candidate may serve


class Round(BaseModel):
    """The result of a round."""

    model_config = ConfigDict(frozen=True)

    version: str
    outcome: Outcome
    new_minutes: float
    candidate: ModelRef | None = None
    champion: ModelRef | None = None
    model: str | None = None
    report: str | None = None
    failed: tuple[Condition, ...] = ()
    finished: str


@dataclass(frozen=True)
class RoundPlan:
    """What a round learns from and is measured on.

    Attributes:
        base: the model that every round starts from. It is not the last round's: each round learns from all
            recordings, so nothing is learnt twice and errors do not add up.
        export: directory of the export.
        datasets: directory of the dataset versions.
        rounds: directory of the rounds.
        rules: how a version is made.
        test: recordings from elsewhere that the gate measures on; None: those of the version's test.
        guards: sets that must not become worse; the gate measures on them.
        kept: sets that decide the share of the change; not the gate's.
        least_minutes: new minutes since the last round, without which nothing is done.
        recipe: of the fine-tuning.
        limits: of the gate.
        language: of the report.
    """

    base: Base
    export: Path
    datasets: Path
    rounds: Path
    rules: Rules = field(default_factory=Rules)
    test: ReferenceSet | None = None
    guards: Sequence[ReferenceSet] = ()
    kept: Sequence[ReferenceSet] = ()
    least_minutes: float = 10.0
    recipe: FinetuneRecipe = field(default_factory=FinetuneRecipe)
    limits: GateLimits = field(default_factory=GateLimits)
    language: str = LANGUAGES[0]


def run_round(
    settings: Settings,
    plan: RoundPlan,
    *,
    report: Report = silent,
    on_measure: Callable[[str | None], None] = lambda _model: None,
) -> Round:
    """Run a round, or resume an interrupted one; return the result of a finished one.

    Nothing is released here: the caller decides about a candidate that passed.

    Args:
        settings: the settings of the server; their model is the champion.
        plan: what is learnt and measured.
        report: receives messages about each step of the fine-tuning.
        on_measure: see `try_candidate`.

    Raises:
        DataSetError: the export has too few recordings to learn from or to test with.
        GlasError: the errors of `finetune` and `try_candidate`.
    """
    made = make_version(plan.export, plan.datasets, plan.rules)
    folder = plan.rounds / made.path.stem
    if (finished := read_round(folder)) is not None:
        return finished
    minutes = _new_minutes(made.version, plan)
    if minutes < plan.least_minutes:
        return _ended(made.path.stem, Outcome.TOO_LITTLE, minutes)
    folder.mkdir(parents=True, exist_ok=True)
    dataset = open_dataset(plan.export, made.version)
    model = settings.models_dir / f"learnt-{made.path.stem[:12]}"
    report("learn-version", version=made.path.stem, minutes=rounded(minutes))
    if not model.is_dir():
        data = FinetuneData(
            _utterances(one for one in dataset.train if one.rank != REPLAY),
            _utterances(one for one in dataset.train if one.rank == REPLAY),
            kept=plan.kept,
            dev=_utterances(dataset.dev),
            version=made.path.stem,
        )
        found = finetune(plan.base, data, folder / WORK, model, recipe=plan.recipe, report=report)
        if found.chosen is None:
            return _keep(folder, _ended(made.path.stem, Outcome.NOT_BETTER, minutes))
    tested = _test_data(dataset, plan)
    trial = try_candidate(settings, f"whisper:{model}", tested, plan.limits, on_measure)
    page = write_report(folder / REPORT, trial, tested.test, catalogue(plan.language), tested.guards)
    return _keep(folder, _judged(trial, model, page, minutes, made.path.stem))


def read_round(folder: Path) -> Round | None:
    """Read the finished round in a folder; return None if it has not ended."""
    path = folder / ROUND
    return Round.model_validate_json(path.read_bytes()) if path.is_file() else None


def finished_rounds(rounds: Path) -> list[Round]:
    """Return all finished rounds, the oldest first."""
    found = [read_round(folder) for folder in rounds.iterdir()] if rounds.is_dir() else []
    return sorted((one for one in found if one is not None), key=lambda one: one.finished)


def _judged(found: TrialResult, model: Path, page: Path, minutes: float, version: str) -> Round:
    """Return the result of a round after a trial."""
    outcome = Outcome.PASSED if found.verdict.passed else Outcome.REFUSED
    return _ended(version, outcome, minutes).model_copy(
        update={
            "candidate": found.verdict.candidate,
            "champion": found.verdict.champion,
            "model": str(model),
            "report": str(page),
            "failed": tuple(one.condition for one in found.verdict.checks if not one.passed),
        }
    )


def _test_data(dataset: Dataset, plan: RoundPlan) -> TestData:
    test = plan.test or ReferenceSet("test", tuple(_utterances(dataset.test)))
    if not test.utterances:
        raise DataSetError("expected recordings to test with, got none: no speaker of the export belongs to the test")
    return TestData(test, tuple(plan.guards), is_personal=plan.rules.speaker is not None)


def _utterances(examples: Iterable[Example]) -> list[Utterance]:
    return [Utterance(one.audio, one.audio.name, one.text, one.speaker) for one in examples]


def _new_minutes(version: Version, plan: RoundPlan) -> float:
    """Return the minutes of recordings that no finished round has learnt with the same words."""
    learnt = {
        (entry.id, entry.reference_sha256)
        for one in finished_rounds(plan.rounds)
        for entry in read_version(plan.datasets, one.version).entries
    }
    new = [one for one in version.entries if one.split is Split.TRAIN and (one.id, one.reference_sha256) not in learnt]
    return sum(one.duration_s for one in new) / 60


def _ended(version: str, outcome: Outcome, minutes: float) -> Round:
    return Round(
        version=version, outcome=outcome, new_minutes=round(minutes, 2), finished=time.strftime("%Y-%m-%dT%H:%M:%S%z")
    )


def _keep(folder: Path, ended: Round) -> Round:
    """Record the result of a round, which finishes it, and delete its clips."""
    fresh = folder / f"{ROUND}.part"
    fresh.write_text(ended.model_dump_json(indent=1) + "\n", encoding="utf-8")
    to_disk(fresh)
    fresh.replace(folder / ROUND)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return ended
