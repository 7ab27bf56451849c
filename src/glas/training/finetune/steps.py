"""Fine-tune a model on corrected recordings: write examples, train an adapter, choose its share, write the new model.

A step is skipped if its files exist already. So a second call with the same arguments resumes an interrupted
fine-tuning.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict

from glas.domain.errors import ConfigurationError, DataSetError
from glas.domain.model_ref import ModelRef
from glas.engines.folders import written_whole
from glas.engines.versions import ModelVersions
from glas.localisation import rounded
from glas.recognition import open_recogniser
from glas.recognition.lineage import Lineage, write_lineage
from glas.recognition.references import ReferenceSet, Utterance
from glas.recognition.trial import text_hash
from glas.system.files import replace_text, sha256_of
from glas.system.message_files import LIST, note_messages
from glas.training.adapter.factors import AdapterFactors
from glas.training.adapter.network import chosen_device
from glas.training.adapter.tokens import Tokens
from glas.training.evaluation.evaluate import measure, served
from glas.training.finetune.base import Base
from glas.training.finetune.card import write_card
from glas.training.finetune.data import FinetuneData, prepare
from glas.training.finetune.examples import examples, sounds_without_speech
from glas.training.finetune.fit import fit, training_seconds
from glas.training.finetune.hardware import gpu_used, peak_memory_mb
from glas.training.finetune.recipe import FILE as RECIPE
from glas.training.finetune.recipe import FinetuneRecipe, write_recipe
from glas.training.finetune.release import combined_adapter, write_model
from glas.training.finetune.report import Report, silent
from glas.training.finetune.shards import DEV, REPLAY, TRAIN, kept_shard
from glas.training.finetune.share import MeasuredShare, ShareLosses, choose_share
from glas.training.finetune.split import Divided, split
from glas.training.finetune.text_loss import measured_losses, share_losses
from glas.training.language.adaptation import CorrectedTexts
from glas.training.sound.channel import SAMPLE_RATE_HZ
from glas.training.sound.clips import write_clips

STATE, TRIAL = "data.json", "trial"


class FinetuneResult(BaseModel):
    """The result of a fine-tuning.

    Attributes:
        losses: losses of the base model, and of the model with each share of the learnt change.
        before: error rates of the base model.
        chosen: error rates of the model with the chosen share; None if no model is better than the base model.
        n_learnt: number of recordings in the training set.
        n_dev: number of recordings of the development set.
        minutes_learnt: duration of the examples in the training set, in minutes.
        training_s: seconds that the training of the adapter took, without steps that were lost in an interruption.
        peak_memory_mb: largest resident memory of this process so far, in MiB.
        gpu: name of the GPU that trained the model; empty if the processor trained it.
        peak_gpu_memory_mb: largest memory of the GPU that tensors used so far, in MiB.
    """

    model_config = ConfigDict(frozen=True)

    losses: tuple[ShareLosses, ...]
    before: MeasuredShare
    chosen: MeasuredShare | None
    n_learnt: int
    n_dev: int
    minutes_learnt: float
    training_s: float
    peak_memory_mb: int
    gpu: str = ""
    peak_gpu_memory_mb: int = 0


def finetune(
    base: Base,
    data: FinetuneData,
    work: Path,
    to: Path,
    *,
    recipe: FinetuneRecipe | None = None,
    report: Report = silent,
) -> FinetuneResult:
    """Fine-tune a model, and choose which share of the learnt change of the weights the new model keeps.

    The new model is written only if it is better than the base model.

    Args:
        base: the model to fine-tune.
        data: the recordings.
        work: directory for clips and checkpoints; it belongs to one base model, one set of data and one recipe.
        to: directory of the new model.
        recipe: settings of the fine-tuning. The training starts from `base`. The name of a base model in the recipe is
            only copied into the recipe of the new model.
        report: receives reports about each step.

    Raises:
        DataSetError: there are too few recordings, or the data of a person was deleted during the fine-tuning.
        ConfigurationError: `work` belongs to another base model, other data or another recipe.
        AudioError: a recording cannot be decoded.
        ModelFileMissingError, ModelLoadError: a file of the base model is missing or damaged.
    """
    recipe = recipe or FinetuneRecipe()
    data = prepare(data, report)
    torch.set_num_threads(recipe.threads)
    chosen_device(recipe.device)  # a wrong name is an error before anything is recognised
    parted = Divided([*data.corrected], [*data.dev]) if data.dev else split(data.corrected, recipe.dev_share)
    lineage = _lineage(base, data, recipe)
    _claim(work, lineage)
    kept = [one for some in data.kept for one in some.utterances]
    note_messages(work, [one.audio for one in (*data.corrected, *data.dev, *data.replayed, *kept)])
    with _unless_deleted(work):
        return _learn(_Task(base, data, parted, work, to, recipe), lineage, report)


class _Task(NamedTuple):
    """The arguments of a fine-tuning."""

    base: Base
    data: FinetuneData
    parted: Divided
    work: Path
    to: Path
    recipe: FinetuneRecipe


@contextmanager
def _unless_deleted(work: Path) -> Iterator[None]:
    """Raise `DataSetError` if a file is missing because a person's data was deleted while the context was open."""
    is_listed = (work / LIST).exists()
    try:
        yield
    except FileNotFoundError as error:
        if is_listed and not (work / LIST).exists():
            raise DataSetError("the data of a person was deleted during the training; start again") from error
        raise


def _learn(task: _Task, lineage: Lineage, report: Report) -> FinetuneResult:
    """Do the steps of a fine-tuning: write the examples, train, choose the share, write the model if it is better."""
    base, data, parted, work, to, recipe = task
    clips = work / "clips"
    shards = {TRAIN: parted.train, DEV: parted.dev, REPLAY: list(data.replayed)}
    shards |= {kept_shard(one.name): list(one.utterances) for one in data.kept}
    seconds = _write_shards(base, shards, clips, work, n_sounds=recipe.fit.replayed_sounds)
    report("finetune-learnt", recordings=len(parted.train), minutes=rounded(seconds / 60), dev=len(parted.dev))
    model, tokens = base.model(), Tokens(base.directory)
    factors = fit(
        model.arrays,
        tokens,
        clips,
        work / "run",
        recipe.fit,
        n_heads=model.config["decoder_attention_heads"],
        device=recipe.device,
        on_step=lambda step, steps, loss: report("finetune-step", step=step, steps=steps, loss=rounded(loss, 4)),
    )
    kept = [one.name for one in data.kept]
    losses = measured_losses(
        partial(share_losses, model, tokens, clips, factors, kept=kept, device=recipe.device), recipe.shares, report
    )
    del model
    sets = [ReferenceSet("dev", tuple(parted.dev)), *data.kept]
    before, chosen = _chosen(task, factors, sets, share=choose_share(losses[0], losses[1:]), report=report)
    result = FinetuneResult(
        losses=tuple(losses),
        before=before,
        chosen=chosen,
        n_learnt=len(parted.train),
        n_dev=len(parted.dev),
        minutes_learnt=round(seconds / 60, 2),
        training_s=training_seconds(work / "run"),
        peak_memory_mb=peak_memory_mb(),
        **gpu_used(chosen_device(recipe.device)),
    )
    if result.chosen is not None:
        lineage = lineage.model_copy(update={"result": result.model_dump(mode="json")})
        with written_whole(to) as part:
            for path in (work / TRIAL).iterdir():
                shutil.move(path, part / path.name)
            write_lineage(part, lineage)
            write_recipe(part / RECIPE, recipe)
            write_card(part, lineage, work / "run")
    shutil.rmtree(work / TRIAL, ignore_errors=True)
    return result


def _lineage(base: Base, data: FinetuneData, recipe: FinetuneRecipe) -> Lineage:
    """Return a description of everything that determines the result of a fine-tuning.

    The description has the version of the base model, the hashes of the recordings and references, and the recipe.
    """
    corrected = [*data.corrected, *data.dev]
    versions = ModelVersions(base.directory, keeps=False)
    return Lineage(
        base=ModelRef(name=base.directory.name, version=versions.version_in(base.directory)),
        data=data.version,
        speakers=tuple(sorted({one.speaker for one in corrected if one.speaker})),
        recordings=tuple(sorted({sha256_of(one.audio) for one in [*corrected, *data.replayed]})),
        texts=tuple(sorted({text_hash(one.text) for one in corrected})),
        kept=tuple(one.name for one in data.kept),
        recipe=recipe.settings(),
        result={},
    )


def _claim(work: Path, lineage: Lineage) -> None:
    """Write the lineage of a fine-tuning into its work directory, if it is not there already.

    Raises:
        ConfigurationError: the directory belongs to another fine-tuning.
    """
    work.mkdir(parents=True, exist_ok=True)
    state, told = work / STATE, lineage.model_dump_json()
    if state.exists():
        if state.read_text(encoding="utf-8") != told:
            raise ConfigurationError(
                f"{work} belongs to a fine-tuning with other recordings, references or another recipe. Give another "
                "directory, or delete this directory."
            )
        return
    replace_text(state, told)


def _write_shards(base: Base, sets: dict[str, list[Utterance]], clips: Path, work: Path, *, n_sounds: int) -> float:
    """Write the examples of each set that is not empty as a shard; return the seconds of sound in the training set.

    The replayed recordings are followed by `n_sounds` sounds without speech.
    """
    missing = [name for name, some in sets.items() if some and not (clips / f"{name}.jsonl").exists()]
    if missing:
        with open_recogniser(served(base.directory, work / "converted")) as recogniser:
            for name in missing:
                sounds = sounds_without_speech(n_sounds if name == REPLAY else 0)
                found = chain(examples(recogniser, sets[name]), sounds)
                write_clips(clips, name, ((one.text, one.name, one.samples) for one in found))
    lines = {
        name: (clips / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() for name, some in sets.items() if some
    }
    # The added sounds do not count. A replay set may consist of sounds without speech, so its texts may be empty.
    if empty := [name for name, some in lines.items() if len(some) <= (n_sounds if name == REPLAY else 0)]:
        raise DataSetError(
            f"expected recordings whose words can be told apart from each other, got none in: {', '.join(empty)}"
        )
    return float(sum(json.loads(line)["count"] for line in lines[TRAIN])) / SAMPLE_RATE_HZ


def _chosen(
    task: _Task,
    factors: AdapterFactors,
    sets: Sequence[ReferenceSet],
    *,
    share: float | None,
    report: Report,
) -> tuple[MeasuredShare, MeasuredShare | None]:
    """Measure two models on all sets: the base model, and the model with the share `share` of the learnt change.

    The first of `sets` is the development set. The second model is written into the directory `TRIAL` of the work
    directory. The language model of the second model is adapted to the training set.

    Returns:
        The error rates of the base model, and the error rates of the second model. The second value is None if this
        model is not better on the development set, or if `share` is None.
    """
    base, work, parted = task.base, task.work, task.parted

    def measured(share: float, model: Path) -> MeasuredShare:
        dev, *kept = measure(model, sets, work / "converted")
        found = MeasuredShare(share=share, dev=dev.rates, kept={one.data: one.rates for one in kept})
        report("finetune-served", share=Decimal(f"{share:g}"), dev=rounded(100 * found.dev.wer, 2))
        for name, rates in found.kept.items():
            report("finetune-served-kept", name=name, wer=rounded(100 * rates.wer, 2))
        return found

    before = measured(0.0, base.directory)
    if share is None:
        return before, None
    shutil.rmtree(work / TRIAL, ignore_errors=True)
    texts = CorrectedTexts(parted.train, parted.dev, task.recipe.words_share, is_personal=task.data.is_personal)
    write_model(base, combined_adapter(base, factors, share, {"share": share}), texts, work / TRIAL)
    after = measured(share, work / TRIAL)
    return before, after if after.is_better_than(before) else None
