"""Test that the gate refuses real models, each for one reason: broken, forgetful, dishonest, inventive and slow.

The champion of these tests is the embedded model without some words of the test, so that the embedded model itself
would pass, but for what was done to it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from glas.domain.errors import ModelLoadError
from glas.domain.model_ref import ModelRef
from glas.engines.catalogue import embedded_directory
from glas.recognition import Recogniser, cost, trial
from glas.recognition.gate import Condition, Measured
from glas.recognition.lineage import Lineage, write_lineage
from glas.recognition.references import ReferenceSet, Utterance
from glas.recognition.trial import TestData, text_hash, try_candidate
from glas.settings import NnServiceSettings, Settings
from glas.system.files import sha256_of
from tests.conftest import Sample
from tests.system.refused_models import (
    damage,
    deeper,
    flipped,
    sure_of_everything,
    unchanged,
    without_words,
    write_changed,
)

# How fast a model is depends on what else the machine does; only one of these tests is about it.
_BUSY = {Condition.SPEED}
# Sounds without speech: the last of these four is a humming, which a model that never doubts takes for a word.
N_SOUNDS, SEED = 4, 43
N_FIRST_WORDS = (2, 5, 7, 6, 2, 6)  # of each sample


class World(NamedTuple):
    """The objects that the tests share."""

    settings: Settings
    data: TestData
    place: Path


@pytest.fixture(scope="module")
def world(samples: list[Sample], first_words: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A champion with errors, a test and a guard; it is measured once."""
    place = tmp_path_factory.mktemp("refused")
    said = []
    for number, (sample, sound, n_words) in enumerate(zip(samples, first_words, N_FIRST_WORDS, strict=True)):
        path = place / f"{number}.wav"
        path.write_bytes(sound)
        said.append(Utterance(path, path.name, " ".join(sample.text.split()[:n_words]), f"speaker {number}"))
    data = TestData(ReferenceSet("test", tuple(said[:4])), (ReferenceSet("guard", tuple(said[4:])),))
    forgotten, kept = texts_of(data.test), texts_of(data.guards[0])
    champion = write_changed(place / "champion", without_words(forgotten, kept))
    nn_service = NnServiceSettings(vad_threshold=0.1)
    settings = Settings(_env_file=None, data_dir=place / "data", model=f"whisper:{champion}", nn_service=nn_service)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "NONSPEECH", N_SOUNDS)
        patch.setattr(trial, "NONSPEECH_SEED", SEED)
        patch.setattr(trial, "_measure", once(trial._measure))
        patch.setattr(cost, "ROUNDS", 1)
        patch.setattr(cost, "RECORDINGS", 2)
        yield World(settings, data, place)


def once(measure: Callable[..., Measured]) -> Callable[..., Measured]:
    """Measure each model only once, because most tests have the same champion."""
    known: dict[str, Measured] = {}

    def measured(recogniser: Recogniser, *rest: object) -> Measured:
        model = recogniser.registry.default
        if model not in known:
            known[model] = measure(recogniser, *rest)
        return known[model]

    return measured


def failed(world: World, model: Path, champion: str | None = None) -> set[Condition]:
    """Return the conditions for which a model is refused; `champion` replaces the champion of the tests."""
    settings = world.settings.model_copy(update={"model": champion or world.settings.model})
    verdict = try_candidate(settings, f"whisper:{model}", world.data).verdict
    found = {one.condition for one in verdict.checks if not one.passed}
    assert verdict.passed == (not found)
    return found


def texts_of(some: ReferenceSet) -> list[str]:
    """Return the references of a set."""
    return [one.text for one in some.utterances]


@pytest.mark.slow
def test_a_damaged_one(world: World) -> None:
    """A model with damaged weights recognises nothing, or cannot be loaded."""
    model = write_changed(world.place / "damaged", flipped(0.5))
    assert {Condition.GAIN, Condition.CERTAINTY, Condition.GUARD} <= failed(world, model)
    damage(model)
    with pytest.raises(ModelLoadError):
        failed(world, model)


@pytest.mark.slow
def test_one_that_learnt_from_the_test(world: World) -> None:
    """All figures are better, but the training data contains speakers and recordings of test and guard."""
    model = write_changed(world.place / "learnt", unchanged)
    test, (guard,) = world.data.test.utterances, world.data.guards
    lineage = Lineage(
        base=ModelRef(name="embedded", version="0" * 12),
        speakers=("speaker 0", "somebody else"),
        recordings=(sha256_of(test[1].audio), sha256_of(guard.utterances[0].audio)),
        texts=(text_hash(test[0].text),),
        recipe={},
        result={},
    )
    write_lineage(model, lineage)
    assert failed(world, model) - _BUSY == {Condition.SPEAKERS, Condition.RECORDINGS}


@pytest.mark.slow
def test_one_that_forgot(world: World) -> None:
    """The model cannot write words of the guard set that the test set does not contain."""
    forgotten, kept = texts_of(world.data.guards[0]), texts_of(world.data.test)
    model = write_changed(world.place / "forgot", without_words(forgotten, kept))
    assert failed(world, model) - _BUSY == {Condition.GUARD}


@pytest.mark.slow
def test_one_that_hears_words_in_noise(world: World) -> None:
    """The model always detects speech and is always certain; it writes «Ага» for a hum."""
    model = write_changed(world.place / "sure", sure_of_everything)
    assert failed(world, model) - _BUSY == {Condition.NONSPEECH}


@pytest.mark.slow
def test_one_that_is_slower(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model writes the texts of the embedded model with four times as many layers."""
    # A single round may include work of other threads of this process, which counts for either model.
    monkeypatch.setattr(cost, "ROUNDS", 3)
    model = write_changed(world.place / "deeper", deeper)
    found = failed(world, model, champion=f"whisper:{embedded_directory()}")
    assert found == {Condition.SPEED, Condition.GAIN, Condition.CERTAINTY}
