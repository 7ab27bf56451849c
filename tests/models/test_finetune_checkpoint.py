"""Fine-tuning starts from a checkpoint as Hugging Face publishes it, whatever its sizes: here a tiny one."""

import shutil
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.engines.whisper.adapter import read_adapter
from glas.recognition import open_recogniser
from glas.recognition.references import Utterance
from glas.training.evaluation.evaluate import served
from glas.training.finetune.base import Base
from glas.training.finetune.data import FinetuneData
from glas.training.finetune.fit import FitOptions
from glas.training.finetune.recipe import FinetuneRecipe, finetune
from glas.training.release import ADAPTER
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.models import phrases
from tests.models.trained import trained

NEW = "Купи мне хлеба завтра утром."
LEARNT_FROM, MEASURED_ON, TESTED_ON = ("f1", "f3", "m1", "m2", "m4", "Andrea"), ("f5", "m7"), "Michael"
RECIPE = FinetuneRecipe(fit=FitOptions(epochs=30, rank=8, learning_rate=5e-3, checkpoints=2), shares=(1.0,))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with four heads of 16 values, where every published Whisper of its width would have one of 64."""
    kept = trained("phrases")
    return Path(shutil.copytree(kept, tmp_path_factory.mktemp("checkpoint") / "phrases"))


def recordings(folder: Path, voices: tuple[str, ...], rates_wpm: tuple[int, ...]) -> list[Utterance]:
    """The new phrase, said by each voice at each rate."""
    folder.mkdir()
    styles = [SpeakingStyle(voice, rate) for voice, rate in product(voices, rates_wpm)]
    found = []
    for style, sound in zip(styles, phrases.say_all((NEW, style) for style in styles), strict=True):
        path = folder / f"{style.voice}-{style.rate_wpm}.wav"
        path.write_bytes(as_wav(sound))
        found.append(Utterance(path, path.name, NEW, style.voice))
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_published_checkpoint_learns_a_phrase(checkpoint: Path, tmp_path: Path) -> None:
    learnt = recordings(tmp_path / "learnt", LEARNT_FROM, (130, 170))
    dev = recordings(tmp_path / "dev", MEASURED_ON, (150,))
    (tested,) = recordings(tmp_path / "tested", (TESTED_ON,), (150,))
    base = Base(checkpoint, checkpoint)
    made = tmp_path / "made"
    with open_recogniser(served(checkpoint, tmp_path)) as recogniser:
        assert recogniser.transcribe(tested.audio.read_bytes).hypothesis.text != NEW

    found = finetune(base, FinetuneData(learnt, dev=dev), tmp_path / "work", made, recipe=RECIPE)

    assert found.chosen is not None
    assert found.chosen.dev.wer < found.before.dev.wer
    assert read_adapter(made / ADAPTER).base_digest == base.digest()
    with open_recogniser(served(made, tmp_path)) as recogniser:
        assert recogniser.transcribe(tested.audio.read_bytes).hypothesis.text == NEW
