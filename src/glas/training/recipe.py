"""The whole way to the embedded model: text, speech, features, training, ONNX, card.

Every step leaves what is there already and goes on where it stopped, so the recipe can be run again after any end.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from glas.engines.language_model import FILE
from glas.training.judged.calibrate import calibrate
from glas.training.judged.card import write_card
from glas.training.judged.evaluate import TestData
from glas.training.language.held_out import lines_except, test_texts
from glas.training.language.language_model import LMSize, build
from glas.training.network.compose import compose
from glas.training.network.export import export, write_checksums
from glas.training.network.model import Shape
from glas.training.network.train import Knobs, train
from glas.training.prepare import Amounts, Speech, prepare_all, synthesise_shards

ALIGN_AT = 0.3  # of the training time: by then the network can
COMPOSED_PER_SHARD = 1500
RUN = "run"


@dataclass(frozen=True)
class Sources:
    """Folders that the recipe reads; without any it makes everything itself."""

    voxforge: Path | None = None
    festvox: Path | None = None
    texts: Path | None = None
    rhvoice: Path | None = None
    recordings: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Recipe:
    """How much of everything."""

    shards: int = 92
    natural: int = 48  # shards in the voices of people, where their folder is given
    processes: int = 2  # for speech
    composed: int = 32  # shards
    amounts: Amounts = field(default_factory=Amounts)
    lm: LMSize = field(default_factory=LMSize)
    knobs: Knobs = field(default_factory=lambda: Knobs(minutes=350, processes=2, batch_seconds=32))


# Hears nothing, but has been the whole way: for `--smoke` and the tests.
SMOKE = Recipe(
    shards=1,
    natural=1,
    composed=1,
    amounts=Amounts(
        utterances_per_shard=60, test_utterances=6, calibration_utterances=6, map_utterances=4, lexicon_prefix="по"
    ),
    lm=LMSize(sentences=3000, contexts=4000, words=5000, messages=1000),
    knobs=Knobs(minutes=0.4, batch_seconds=20, shape=Shape(stem_width=32, width=48, kernels=(5, 3, 3, 3))),
)


def make(recipe: Recipe, data: Path, to: Path, sources: Sources, date: str) -> None:
    """Go the whole way, from nothing to the folder `to`.

    Raises:
        ConfigurationError: a folder is not what it should be.
    """
    prepare_all(data, sources.voxforge, sources.festvox, recipe.amounts)
    withheld = test_texts(data, sources.festvox, sources.recordings)
    lines = lines_except(sources.texts, withheld)
    speech = Speech(data, lines, amounts=recipe.amounts)
    synthesise_shards(speech, range(recipe.shards), recipe.processes)
    if sources.rhvoice:
        synthesise_shards(replace(speech, rhvoice=sources.rhvoice), range(recipe.natural), recipe.processes)
    if sources.voxforge and not (data / "shards" / f"voxforge-train-composed-{recipe.composed}.jsonl").exists():
        train(data, data / RUN, replace(recipe.knobs, pause_at=ALIGN_AT))
        checkpoint = data / RUN / "checkpoint.pt"
        compose(data, checkpoint, lines, COMPOSED_PER_SHARD, range(1, recipe.composed + 1))
    train(data, data / RUN, recipe.knobs)
    # Real speech was learnt through the map from 15 bands; seen half through it, it is understood as well as wholly.
    narrowing = 0.5 if sources.voxforge else 0.0
    export(data / RUN / "checkpoint.pt", to, data / "map.npz", narrowing)
    build(data, sources.texts, to / FILE, recipe.lm, withheld)
    write_checksums(to)
    tests = TestData(data, sources.festvox, sources.recordings)
    calibrate(to, tests, count=recipe.amounts.calibration_utterances)
    write_card(data / RUN / "checkpoint.pt", to, tests, date)
