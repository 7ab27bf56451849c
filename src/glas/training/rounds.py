"""Run one round of learning: make a dataset version, fine-tune a model, and let the gate judge the model.

Two hashes identify a round. The hash TRAINING covers what determines the model: dataset version, base model, recipe,
and the sets that determine the share. The hash TEST covers what determines the verdict: test set, guard sets and
limits. So an interrupted round is found and resumed, and a finished round is not repeated. If only the test set
changes, the gate judges the same model again.

The directory `rounds/TRAINING/work` exists while the model is trained. The directory `rounds/TRAINING/TEST/` contains
`round.json` (the result) and the report.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.errors import TooFewReferencesError
from glas.domain.model_records import LearningStep
from glas.domain.model_ref import ModelRef
from glas.domain.splits import Split
from glas.engines.versions import ModelVersions
from glas.localisation import catalogue, rounded
from glas.localisation.catalogue import LANGUAGES
from glas.recognition.gate import Condition, GateLimits
from glas.recognition.gate_report import write_report
from glas.recognition.references import ReferenceSet, Utterance, content_hash
from glas.recognition.trial import TestData, try_candidate
from glas.settings import Settings
from glas.system.files import replace_text
from glas.training.datasets import Dataset, Example, open_dataset, read_version
from glas.training.datasets.making import Rules, make_version
from glas.training.datasets.reading import REPLAY
from glas.training.datasets.version import Version
from glas.training.finetune.base import Base
from glas.training.finetune.data import FinetuneData
from glas.training.finetune.recipe import FinetuneRecipe
from glas.training.finetune.report import Report, silent
from glas.training.finetune.steps import finetune

ROUND, REPORT, WORK = "round.json", "report", "work"
_HASH_CHARS = 16


class Outcome(StrEnum):
    """How a round has ended."""

    TOO_LITTLE = "too_little"  # not enough new minutes since the last round
    NOT_BETTER = "not_better"  # no share of the change is better on dev
    REFUSED = "refused"  # the gate has refused the candidate
    PASSED = "passed"  # the candidate may serve


class Round(BaseModel):
    """The result of a round. A field is null if its value was not recorded or does not exist."""

    model_config = ConfigDict(frozen=True)

    version: str = Field(description="Name of the dataset version of the round.")
    recipe: str | None = Field(
        default=None, description="Hash of the base model, the training settings and the kept sets."
    )
    training: str | None = Field(default=None, description="Hash of the dataset version and the training settings.")
    test: str | None = Field(default=None, description="Hash of the test set, the guard sets and the gate's limits.")
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
    """The data, settings and directories of a round.

    Attributes:
        base: the model from which every round starts. It is not the model of the last round. Each round learns from all
            recordings, so no model learns a recording in two rounds, and errors do not accumulate.
        export: directory of the export.
        datasets: directory of the dataset versions.
        rounds: directory of the rounds.
        rules: rules for the content of the dataset version.
        test: recordings from outside the export, for the gate; None means the test set of the dataset version.
        guards: sets of recordings on which the model must not be worse than the champion; only the gate uses them.
        kept: sets of recordings on which the model must not become worse; only the choice of the share uses them.
        least_minutes: if there are fewer minutes of new recordings since the last round, no model is trained.
        recipe: settings of the fine-tuning.
        limits: limits of the gate.
        language: language of the report, `ru` or `en`.
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


class Steps:
    """Functions that `run_round` calls before and after each step of a round; those of this base class do nothing."""

    def begun(self, name: str, step: LearningStep) -> None:
        """Record that a step begins; `name` is the dataset version of the round."""

    def ended(self, name: str, step: LearningStep, **details: str | float) -> None:
        """Record that a step has ended; `details` are its results."""


def run_round(
    settings: Settings,
    plan: RoundPlan,
    *,
    steps: Steps | None = None,
    report: Report = silent,
    on_measure: Callable[[str | None], None] = lambda _model: None,
) -> Round:
    """Run a round, or resume an interrupted round. If the round has finished already, only return its result.

    The champion is not changed: if the candidate passes the gate, the caller decides whether it becomes the champion.

    Args:
        settings: the settings of the server; the model that they name is the champion.
        plan: the data of the round, and its settings.
        steps: its functions are called at the beginning and at the end of each step; None if nothing must be called.
        report: receives reports about each step of the fine-tuning.
        on_measure: see `try_candidate`.

    Raises:
        TooFewReferencesError: the export has no recordings for training, or none for the test.
        GlasError: the errors of `finetune` and `try_candidate`.
    """
    steps = steps or Steps()
    version = make_version(plan.export, plan.datasets, plan.rules).version
    new = _begin(version, plan)
    folder = plan.rounds / str(new.training) / str(new.test)
    if (finished := read_round(folder)) is not None:
        return finished
    earlier = [one for one in finished_rounds(plan.rounds) if one.training == new.training]
    if failed := [one for one in earlier if one.outcome is Outcome.NOT_BETTER]:
        return failed[0]  # no model was written, so there is nothing to judge
    steps.begun(new.version, LearningStep.DATASET)
    steps.ended(new.version, LearningStep.DATASET, minutes=new.new_minutes, recordings=len(version.entries))
    if not earlier and new.new_minutes < plan.least_minutes:
        return new
    folder.mkdir(parents=True, exist_ok=True)
    dataset = open_dataset(plan.export, version)
    _test_data(dataset, plan)  # raises an error before the training, and not after it
    model = settings.models_dir / f"learnt-{str(new.training)[:12]}"
    report("learn-version", version=version.name, minutes=rounded(new.new_minutes))
    work = folder.parent / WORK
    if not model.is_dir() and not _train(dataset, plan, new, work, model, steps=steps, report=report):
        return _keep(folder, new.model_copy(update={"outcome": Outcome.NOT_BETTER}), work)
    judged = _judge(settings, plan, new, dataset, model, to=folder / REPORT, steps=steps, on_measure=on_measure)
    return _keep(folder, judged, work)


def recipe_hash(plan: RoundPlan) -> str:
    """Return a hash over everything that determines the trained model, except the dataset version."""
    recipe = plan.recipe.settings()
    del recipe["threads"]
    base = ModelVersions(plan.base.directory, keeps=False).version_in(plan.base.directory)
    return _hash(base, recipe, sorted(content_hash(one) for one in plan.kept))


def verdict_hash(plan: RoundPlan) -> str:
    """Return the hash TEST: a hash over everything that determines the verdict, except the test set of the dataset.

    The other hash of a round, TRAINING, covers the dataset version, which includes this test set.
    """
    test = None if plan.test is None else content_hash(plan.test)
    return _hash(test, sorted(content_hash(one) for one in plan.guards), plan.limits.model_dump(mode="json"))


def _hash(*values: Any) -> str:
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:_HASH_CHARS]


def _begin(version: Version, plan: RoundPlan) -> Round:
    """Return the description of a round of which no step has begun."""
    recipe = recipe_hash(plan)
    return Round(
        version=version.name,
        recipe=recipe,
        training=_hash(version.name, recipe),
        test=verdict_hash(plan),
        outcome=Outcome.TOO_LITTLE,
        new_minutes=round(_new_minutes(version, plan, recipe), 2),
        finished=_now(),
    )


def _train(
    dataset: Dataset, plan: RoundPlan, new: Round, work: Path, to: Path, *, steps: Steps, report: Report
) -> bool:
    """Fine-tune a model; return whether the model is better than the base model, and was therefore written."""
    steps.begun(new.version, LearningStep.FINETUNE)
    corrected = _utterances(one for one in dataset.train if one.rank != REPLAY)
    replayed = _utterances(one for one in dataset.train if one.rank == REPLAY)
    dev, is_personal = _utterances(dataset.dev), plan.rules.speaker is not None
    data = FinetuneData(corrected, replayed, plan.kept, dev, new.version, is_personal)
    found = finetune(plan.base, data, work, to, recipe=plan.recipe, report=report)
    share = {} if found.chosen is None else {"share": found.chosen.share}
    steps.ended(new.version, LearningStep.FINETUNE, minutes=found.minutes_learnt, **share)
    return found.chosen is not None


def _judge(
    settings: Settings,
    plan: RoundPlan,
    new: Round,
    dataset: Dataset,
    model: Path,
    *,
    to: Path,
    steps: Steps,
    on_measure: Callable[[str | None], None],
) -> Round:
    """Measure the trained model and the champion, write the report of the gate, and return the result of the round."""
    steps.begun(new.version, LearningStep.EVALUATE)
    tested = _test_data(dataset, plan)
    trial = try_candidate(settings, f"whisper:{model}", tested, plan.limits, on_measure)
    page = write_report(to, trial, tested.test, catalogue(plan.language), tested.guards)
    verdict = trial.verdict
    steps.ended(new.version, LearningStep.EVALUATE, wer_before=verdict.wer_before, wer_after=verdict.wer_after)
    return new.model_copy(
        update={
            "outcome": Outcome.PASSED if verdict.passed else Outcome.REFUSED,
            "candidate": verdict.candidate,
            "champion": verdict.champion,
            "model": str(model),
            "report": str(page),
            "failed": tuple(one.condition for one in verdict.checks if not one.passed),
        }
    )


def read_round(folder: Path) -> Round | None:
    """Read the result of the round in a directory; return None if the round has not finished."""
    path = folder / ROUND
    return Round.model_validate_json(path.read_bytes()) if path.is_file() else None


def finished_rounds(rounds: Path) -> list[Round]:
    """Return all finished rounds, the oldest first."""
    paths = [*rounds.glob(f"*/{ROUND}"), *rounds.glob(f"*/*/{ROUND}")]  # the former were written by older versions
    return sorted(filter(None, (read_round(path.parent) for path in paths)), key=lambda one: one.finished)


def _test_data(dataset: Dataset, plan: RoundPlan) -> TestData:
    test = plan.test or ReferenceSet("test", tuple(_utterances(dataset.test)))
    if not test.utterances:
        raise TooFewReferencesError("expected speakers in the export who belong to the test, got none")
    return TestData(test, tuple(plan.guards), is_personal=plan.rules.speaker is not None)


def _utterances(examples: Iterable[Example]) -> list[Utterance]:
    return [Utterance(one.audio, one.audio.name, one.text, one.speaker) for one in examples]


def _new_minutes(version: Version, plan: RoundPlan, recipe: str) -> float:
    """Return the minutes of recordings that no finished round with this recipe has used with the same words."""
    learnt = {
        (entry.id, entry.reference_sha256)
        for one in finished_rounds(plan.rounds)
        if one.recipe in (recipe, None)
        for entry in read_version(plan.datasets, one.version).entries
    }
    new = [one for one in version.entries if one.split is Split.TRAIN and (one.id, one.reference_sha256) not in learnt]
    return sum(one.duration_s for one in new) / 60


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _keep(folder: Path, ended: Round, work: Path) -> Round:
    """Write the result of a round, so that it counts as finished, and delete the files of its training."""
    ended = ended.model_copy(update={"finished": _now()})
    replace_text(folder / ROUND, ended.model_dump_json(indent=1) + "\n")
    shutil.rmtree(work, ignore_errors=True)
    return ended
