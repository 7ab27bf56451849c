"""Train the embedded model: make texts and synthetic speech, train two adapters, write the directory of the model.

A step is skipped if its files exist already. So a second call resumes an interrupted training.

Two adapters are trained. The first adapter makes the network accept clips without padding; its targets are the hidden
states of the unchanged network. The second adapter is trained for Russian spelling. In some steps of its training the
targets are texts; in all other steps they are the targets of the first adapter. The released model contains the
complete change of the first adapter, and a share of the change of the second adapter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from glas.engines.language_model import FILE
from glas.engines.whisper.adapter import Adapter, digest, merge, write_adapter
from glas.engines.whisper.arrays import load_arrays
from glas.training.adapter.batches import Batches
from glas.training.adapter.factors import AdapterFactors, as_adapter, combine, factors_of
from glas.training.adapter.network import Arrays, Whisper
from glas.training.adapter.teacher import write_targets
from glas.training.adapter.tokens import Tokens
from glas.training.adapter.train import DrawBatch, Hyperparameters, WeightedBatch, is_due, train
from glas.training.evaluation.calibrate import calibrate
from glas.training.evaluation.card import write_card
from glas.training.evaluation.evaluate import test_sets
from glas.training.language.held_out import HeldOutSentences, test_texts
from glas.training.language.language_model import LMSize, build
from glas.training.release import ADAPTER, write_weights
from glas.training.sound.augment import Augmentation
from glas.training.texts.loanwords import NAMES
from glas.training.texts.prose import read_prose
from glas.training.voices.spoken import Speech, speak_shards

CLIPS = "clips"
CLIPS_PER_SHARD = 500
CONTEXT_RUN, SPELLING_RUN = "context", "spelling"


@dataclass(frozen=True)
class Sources:
    """Directories that the recipe reads.

    Attributes:
        base: directory of the official model Whisper base, as `glas models get whisper-base` stores it.
        texts: directory of unpacked Debian packages with Russian texts. If it is None, only sentences with names in
            Latin letters are synthesised.
        rhvoice: directory of RHVoice's unpacked packages. If it is None, espeak-ng synthesises the speech.
        festvox: directory of the package festvox-ru. Its sentences are test sentences, so they are never used for
            training.
        recordings: directories of further test recordings.
    """

    base: Path
    texts: Path | None = None
    rhvoice: Path | None = None
    festvox: Path | None = None
    recordings: Sequence[Path] = ()


@dataclass(frozen=True)
class Recipe:
    """Amounts of data, and hyperparameters for the training of the two adapters."""

    shards: int = 4
    guided_shards: int = 1  # number of these shards for which the teacher's targets are computed
    clips_per_shard: int = CLIPS_PER_SHARD
    processes: int = 1
    context: Hyperparameters = field(default_factory=lambda: Hyperparameters(steps=500))
    spelling: Hyperparameters = field(
        default_factory=lambda: Hyperparameters(steps=1000, learning_rate=2e-4, encoder_rank=16, decoder_rank=16)
    )
    text_share: float = 0.6  # share of the second adapter's steps that learn texts; the others learn hidden states
    text_weight: float = 0.2  # weight of the text's loss in a step that learns the teacher's states, too
    spelling_share: float = 1.0
    language_model: LMSize = field(default_factory=LMSize)


# Runs every step with hardly any training: for `--smoke` and the tests.
SMOKE = Recipe(
    shards=1,
    guided_shards=1,
    clips_per_shard=4,
    context=Hyperparameters(steps=2, encoder_rank=2),
    spelling=Hyperparameters(steps=2, encoder_rank=2, decoder_rank=2),
    text_share=0.5,
    language_model=LMSize(sentences=3000, contexts=4000, words=5000, messages=1000, prefix="го"),
)


def make(recipe: Recipe, data: Path, to: Path, sources: Sources, date: str) -> None:
    """Run all steps of the training, and write the directory of the released model.

    Args:
        recipe: amounts and hyperparameters.
        data: directory for clips, targets and checkpoints.
        to: directory of the released model.
        sources: the directories that are read.
        date: the date that the card shows.

    Raises:
        ConfigurationError: a directory has other contents than expected.
        ModelFileMissingError, ModelLoadError: a file of the base model is missing or damaged.
    """
    tests = test_sets(sources.festvox, sources.recordings)
    withheld = test_texts(sources.festvox, sources.recordings)
    train_adapter(recipe, data, sources, to / ADAPTER)
    write_weights(sources.base, to, sources.texts)
    build(data, sources.texts, to / FILE, recipe.language_model, withheld)
    speech = speech_of(sources, data, recipe.clips_per_shard)
    calibrate(to, speech, tests, data / "converted")
    write_card(to, tests, date)


def train_adapter(recipe: Recipe, data: Path, sources: Sources, to: Path) -> Adapter:
    """Run all steps until both adapters are trained, combine them, and write the result in the format of PEFT.

    Args:
        recipe: amounts and hyperparameters.
        data: directory for clips, targets and checkpoints.
        sources: the directories that are read.
        to: directory of the adapter.

    Raises:
        ConfigurationError: a directory has other contents than expected.
        ModelFileMissingError, ModelLoadError: a file of the base model is missing or damaged.
    """
    torch.set_num_threads(1)
    arrays, tokens = load_arrays(sources.base), Tokens(sources.base)
    speech = speech_of(sources, data, recipe.clips_per_shard)
    names = [speech.name(index) for index in range(recipe.shards)]
    speak_shards(speech, range(recipe.shards), recipe.processes)
    guided = names[: recipe.guided_shards]
    teacher = Whisper(arrays).eval()
    for name in guided:
        write_targets(speech.folder, name, teacher, tokens)
    n_mels = teacher.shape.n_mels
    learn = Batches(speech.folder, guided, tokens, Augmentation(), n_mels=n_mels, wants_states=True)
    read = Batches(speech.folder, names, tokens, Augmentation(), n_mels=n_mels, seed=1)
    context = factors_of(
        train(
            arrays, lambda step: WeightedBatch(learn.draw(step), states_weight=1.0), data / CONTEXT_RUN, recipe.context
        )
    )
    adapted = merge(arrays, as_adapter(context, "", "", {}))
    mixed = _mixed(learn, read, recipe)
    spelling = factors_of(train(adapted, mixed, data / SPELLING_RUN, recipe.spelling))
    adapter = _released(arrays, context, spelling, recipe)
    write_adapter(to, adapter)
    return adapter


def _mixed(learn: Batches, read: Batches, recipe: Recipe) -> DrawBatch:
    """Return a function that returns the batch of a step: a batch with texts, or a batch with the teacher's states.

    `recipe.text_share` is the share of the steps that get batches with texts.
    """

    def draw(step: int) -> WeightedBatch:
        if is_due(step, recipe.text_share):
            return WeightedBatch(read.draw(step), text_weight=1.0)
        return WeightedBatch(learn.draw(step), states_weight=1.0, text_weight=recipe.text_weight)

    return draw


def speech_of(sources: Sources, data: Path, clips_per_shard: int = CLIPS_PER_SHARD) -> Speech:
    """Return the sentences, the voices and the directory of the synthetic speech."""
    return Speech(data / CLIPS, spoken_lines(sources), sources.rhvoice, clips_per_shard)


def spoken_lines(sources: Sources) -> list[str]:
    """Return the sentences to synthesise, except those that are similar to a test sentence."""
    withheld = HeldOutSentences(test_texts(sources.festvox, sources.recordings))
    lines = read_prose(sources.texts) if sources.texts else (f"Это {name}." for name in NAMES.values())
    return [line for line in lines if line not in withheld]


def _released(arrays: Arrays, context: AdapterFactors, spelling: AdapterFactors, recipe: Recipe) -> Adapter:
    facts = {
        "context_steps": recipe.context.steps,
        "spelling_steps": recipe.spelling.steps,
        "spelling_share": recipe.spelling_share,
    }
    factors = combine([(context, 1.0), (spelling, recipe.spelling_share)])
    return as_adapter(factors, "openai/whisper-base", digest(dict(arrays)), facts)
