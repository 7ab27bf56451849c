"""Fine-tune a Whisper on corrected recordings: examples, an adapter, the share of it that is kept, the model's files.

Every step leaves what is there already and goes on where it stopped, so the recipe can be run again after any end.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from pydantic import BaseModel, ConfigDict

from glas.domain.errors import ConfigurationError, DataSetError
from glas.domain.metrics import ErrorRates
from glas.domain.model_ref import ModelRef
from glas.engines.folders import written_whole
from glas.engines.versions import ModelVersions
from glas.localisation import Value, rounded
from glas.recognition import open_recogniser
from glas.recognition.lineage import Lineage, write_lineage
from glas.recognition.references import ReferenceSet, Utterance
from glas.recognition.trial import text_hash
from glas.system.files import sha256_of
from glas.system.message_files import LIST, note_messages
from glas.training.adapter.factors import Parts
from glas.training.adapter.tokens import Tokens
from glas.training.finetune.base import Base
from glas.training.finetune.card import write_card
from glas.training.finetune.examples import examples
from glas.training.finetune.fit import DEV, REPLAY, TRAIN, Fit, fit
from glas.training.finetune.release import combined, write_model
from glas.training.finetune.share import SHARES, Trial, choose_share, try_shares
from glas.training.finetune.split import Split, split
from glas.training.judged.evaluate import measure, served
from glas.training.sound.channel import SAMPLE_RATE_HZ
from glas.training.sound.clips import write_clips

STATE = "data.json"
_MOST_REPLAYED = 400  # recordings of all replay sets together that are learnt again


class Report(Protocol):
    """Takes what is told about each step: the name of a message of `glas.localisation`, and its values."""

    def __call__(self, name: str, /, **values: Value) -> None:
        """Tell one message."""


def silent(_name: str, /, **_values: Value) -> None:
    """Tell nothing."""


@dataclass(frozen=True)
class FinetuneRecipe:
    """How a model is fine-tuned.

    Attributes:
        fit: of the adapter.
        dev_share: share of the speakers or texts on which choices are made.
        shares: of the change, that are tried.
        threads: of torch.
    """

    fit: Fit = field(default_factory=Fit)
    dev_share: float = 0.15
    shares: tuple[float, ...] = SHARES
    threads: int = 1


@dataclass(frozen=True)
class FinetuneData:
    """What a model is fine-tuned on.

    Attributes:
        corrected: recordings with references; without `dev` they are split by `split`.
        replayed: other recordings with references that are learnt between them, against forgetting.
        kept: recordings that are never learnt and must not be recognised worse; they decide the share.
        dev: recordings with references on which choices are made.
        version: name of the dataset version that the corrected recordings come from.
    """

    corrected: Sequence[Utterance]
    replayed: Sequence[Utterance] = ()
    kept: Sequence[ReferenceSet] = ()
    dev: Sequence[Utterance] = ()
    version: str | None = None


class FinetuneResult(BaseModel):
    """What came of a fine-tuning."""

    model_config = ConfigDict(frozen=True)

    chosen: Trial | None
    before: Trial
    trials: tuple[Trial, ...]
    n_learnt: int
    n_dev: int
    minutes_learnt: float


def finetune(
    base: Base,
    data: FinetuneData,
    work: Path,
    to: Path,
    *,
    recipe: FinetuneRecipe | None = None,
    report: Report = silent,
) -> FinetuneResult:
    """Fine-tune, choose the share, and write the model unless no share is better.

    Args:
        base: what is fine-tuned.
        data: what it learns.
        work: keeps clips, checkpoints and trials; it belongs to this base and these data.
        to: directory of the new model.
        recipe: how.
        report: told about each step.

    Raises:
        DataSetError: there is too little to learn from, or somebody's data was deleted meanwhile.
        ConfigurationError: `work` belongs to other data.
        AudioError: a recording cannot be decoded.
        ModelFileMissingError, ModelLoadError: the base is not whole.
    """
    recipe = recipe or FinetuneRecipe()
    torch.set_num_threads(recipe.threads)
    parted = Split([*data.corrected], [*data.dev]) if data.dev else split(data.corrected, recipe.dev_share)
    lineage = _lineage(base, data, recipe)
    _claim(work, lineage)
    note_messages(work, [one.audio for one in (*data.corrected, *data.dev, *data.replayed)])
    with _unless_deleted(work):
        return _learn(_Task(base, data, parted, work, to, recipe), lineage, report)


class _Task(NamedTuple):
    """What is fine-tuned on what, and where."""

    base: Base
    data: FinetuneData
    parted: Split
    work: Path
    to: Path
    recipe: FinetuneRecipe


@contextmanager
def _unless_deleted(work: Path) -> Iterator[None]:
    """End a training whose clips were deleted meanwhile, because somebody asked to be forgotten."""
    is_listed = (work / LIST).exists()
    try:
        yield
    except FileNotFoundError as error:
        if is_listed and not (work / LIST).exists():
            raise DataSetError("somebody's data was deleted while the model learnt from it; begin again") from error
        raise


def _learn(task: _Task, lineage: Lineage, report: Report) -> FinetuneResult:
    """Write the examples, train, choose the share, and write the model unless no share is better."""
    base, data, parted, work, to, recipe = task
    clips = work / "clips"
    seconds = _write_shards(base, {TRAIN: parted.train, DEV: parted.dev, REPLAY: list(data.replayed)}, clips, work)
    report("finetune-learnt", recordings=len(parted.train), minutes=rounded(seconds / 60), dev=len(parted.dev))
    model = base.model()
    parts = fit(
        model.arrays,
        Tokens(base.directory),
        clips,
        work / "run",
        recipe.fit,
        n_heads=model.config["decoder_attention_heads"],
        on_step=lambda step, steps, loss: report("finetune-step", step=step, steps=steps, loss=rounded(loss, 4)),
    )
    del model
    dev = ReferenceSet("dev", tuple(parted.dev))
    result = _chosen(base, parts, [dev, *data.kept], work, shares=recipe.shares, report=report).model_copy(
        update={"n_learnt": len(parted.train), "n_dev": len(parted.dev), "minutes_learnt": round(seconds / 60, 2)}
    )
    if result.chosen is not None:
        lineage = lineage.model_copy(update={"result": result.model_dump(mode="json")})
        with written_whole(to) as part:
            write_model(base, combined(base, parts, result.chosen.share, {"share": result.chosen.share}), part)
            write_lineage(part, lineage)
            write_card(part, lineage, work / "run")
    return result


def _lineage(base: Base, data: FinetuneData, recipe: FinetuneRecipe) -> Lineage:
    """What decides the result: the base's version, recordings and references by hash, the recipe."""
    corrected = [*data.corrected, *data.dev]
    versions = ModelVersions(base.directory, keeps=False)
    return Lineage(
        base=ModelRef(name=base.directory.name, version=versions.version_in(base.directory)),
        data=data.version,
        speakers=tuple(sorted({one.speaker for one in corrected if one.speaker})),
        recordings=tuple(sorted({sha256_of(one.audio) for one in [*corrected, *data.replayed]})),
        texts=tuple(sorted({text_hash(one.text) for one in corrected})),
        kept=tuple(one.name for one in data.kept),
        recipe=asdict(recipe),
        result={},
    )


def _claim(work: Path, lineage: Lineage) -> None:
    """Write down what a folder of work belongs to, or see that it belongs to the same."""
    work.mkdir(parents=True, exist_ok=True)
    state, told = work / STATE, lineage.model_dump_json()
    if state.exists():
        if state.read_text(encoding="utf-8") != told:
            raise ConfigurationError(
                f"{work} belongs to a fine-tuning with other recordings, references or another recipe. Give another "
                "folder, or delete this one."
            )
        return
    fresh = state.with_suffix(".part")
    fresh.write_text(told, encoding="utf-8")
    fresh.replace(state)


def _write_shards(base: Base, sets: dict[str, list[Utterance]], clips: Path, work: Path) -> float:
    """Write the examples of each set that has any as a shard; returns the seconds of the first one."""
    missing = [name for name, some in sets.items() if some and not (clips / f"{name}.jsonl").exists()]
    if missing:
        with open_recogniser(served(base.directory, work / "converted")) as recogniser:
            for name in missing:
                found = examples(recogniser, sets[name][:_MOST_REPLAYED] if name == REPLAY else sets[name])
                write_clips(clips, name, ((one.text, one.name, one.samples) for one in found))
    lines = (clips / f"{TRAIN}.jsonl").read_text(encoding="utf-8").splitlines()
    if not lines:
        raise DataSetError("expected recordings whose words can be told apart from each other, got none to learn from")
    return float(sum(json.loads(line)["count"] for line in lines)) / SAMPLE_RATE_HZ


def _chosen(
    base: Base,
    parts: Parts,
    sets: Sequence[ReferenceSet],
    work: Path,
    *,
    shares: Sequence[float],
    report: Report,
) -> FinetuneResult:
    """Measure the base and a model for each share on dev, which is the first set, and on the others; choose one."""
    dev = sets[0]

    def measured(model: Path) -> tuple[ErrorRates, dict[str, ErrorRates]]:
        rates = measure(model, sets, work / "converted")
        return rates.pop(dev.name), rates

    def build(share: float) -> Path:
        trial = work / "trial"
        write_model(base, combined(base, parts, share, {}), trial)
        return trial

    def told(trial: Trial) -> None:
        share = Decimal(f"{trial.share:g}")
        report("finetune-trial", share=share, dev=rounded(100 * trial.dev.wer, 2))
        for name, rates in trial.kept.items():
            report("finetune-trial-kept", name=name, wer=rounded(100 * rates.wer, 2))

    before_dev, before_kept = measured(base.directory)
    before = Trial(share=0.0, dev=before_dev, kept=before_kept)
    told(before)
    trials = try_shares(build, measured, shares, told)
    shutil.rmtree(work / "trial", ignore_errors=True)
    return FinetuneResult(
        chosen=choose_share(before, trials), before=before, trials=tuple(trials), n_learnt=0, n_dev=0, minutes_learnt=0
    )
