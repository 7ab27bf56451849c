"""Test `glas finetune` and `glas promote`: a tiny checkpoint learns a phrase, and serves after a decision.

Fine-tuning starts from any Whisper in Hugging Face's format, whatever its sizes: this one is tiny. What the real
weights learn is in `test_loop.py`.
"""

import json
import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.cli import app
from glas.engines.catalogue import named_champion
from glas.engines.whisper.adapter import read_adapter
from glas.recognition import journal, open_recogniser, trial
from glas.recognition.gate import Overlap
from glas.recognition.lineage import read_lineage
from glas.recognition.references import ReferenceSet, read_reference_set
from glas.recognition.trial import TestData, overlap_of
from glas.system.files import sha256_of
from glas.training.evaluation.evaluate import served
from glas.training.finetune.base import Base
from glas.training.finetune.recipe import FILE as RECIPE_FILE
from glas.training.finetune.recipe import FinetuneRecipe, FitOptions, read_recipe, write_recipe
from glas.training.release import ADAPTER
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.models import phrases
from tests.models.trained import trained
from tests.speech import say_all

NEW = "Купи мне хлеба завтра утром."
# Two speakers of these are the development set, by the hash of their names.
LEARNT_FROM, TESTED_ON = phrases.VOICES[:-1], phrases.VOICES[-1:]
# A network as tiny as this one learns in large steps.
RECIPE = FinetuneRecipe(fit=FitOptions(epochs=8, rank=8, learning_rate=5e-3, checkpoints=2), shares=(1.0,))


def write_set(folder: Path, voices: Sequence[str], rates_wpm: Sequence[int]) -> ReferenceSet:
    """Write and read an audiofolder of the new phrase, spoken by each voice at each rate."""
    folder.mkdir()
    styles = [SpeakingStyle(voice, rate) for voice, rate in product(voices, rates_wpm)]
    rows = []
    for style, sound in zip(styles, say_all((NEW, style) for style in styles), strict=True):
        name = f"{style.voice}-{style.rate_wpm}.wav"
        (folder / name).write_bytes(as_wav(sound))
        rows.append({"file_name": name, "text": NEW, "speaker": style.voice})
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    return read_reference_set(folder)


def text_of(model: Path, heard: ReferenceSet, data_dir: Path) -> str:
    """Return the text of a model for the first recording of a set."""
    with open_recogniser(served(model, data_dir)) as recogniser:
        return recogniser.transcribe(heard.utterances[0].audio.read_bytes).hypothesis.text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_published_checkpoint_learns_a_phrase_and_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "NONSPEECH", 12)  # a minute of sounds is enough here
    checkpoint = Path(shutil.copytree(trained("phrases"), tmp_path / "phrases"))
    learnt = write_set(tmp_path / "learnt", LEARNT_FROM, (130, 160))
    tested = write_set(tmp_path / "tested", TESTED_ON, (150,))
    made = tmp_path / "made"
    assert text_of(checkpoint, tested, tmp_path) != NEW

    recipe = RECIPE.model_copy(update={"base": f"whisper:{checkpoint}"})
    write_recipe(tmp_path / "recipe.toml", recipe)
    source = ["--recipe", str(tmp_path / "recipe.toml"), "--data", str(tmp_path / "learnt")]
    source += ["--keep", str(tmp_path / "tested"), "--threads", "2"]
    done = CliRunner().invoke(app, ["finetune", str(made), *source])

    assert done.exit_code == 0, done.output
    assert read_adapter(made / ADAPTER).base_digest == Base(checkpoint, checkpoint).digest()
    assert text_of(made, tested, tmp_path) == NEW
    assert read_recipe(made / RECIPE_FILE) == recipe.model_copy(update={"threads": 2})
    lineage = read_lineage(made)
    assert lineage is not None
    assert lineage.result["training_s"] > 0
    assert lineage.result["peak_memory_mb"] > 100
    before, after = lineage.result["losses"]
    assert after["dev"] < before["dev"] / 2
    assert after["kept"]["tested"] < before["kept"]["tested"] / 2
    assert set(lineage.speakers) == set(LEARNT_FROM)
    assert set(lineage.recordings) == {sha256_of(one.audio) for one in learnt.utterances}
    assert overlap_of(lineage, TestData(learnt)) == Overlap(
        n_speakers=len(LEARNT_FROM), n_recordings=len(learnt.utterances), n_texts=len(learnt.utterances),
        is_personal=False,
    )  # fmt: skip
    assert overlap_of(lineage, TestData(tested)).n_recordings == 0

    # Whether it passes may depend on how busy the machine is, since the gate compares processor time too.
    data_dir = tmp_path / "data"
    monkeypatch.setenv("GLAS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("GLAS_MODEL", f"whisper:{checkpoint}")
    command = ["promote", f"whisper:{made}", "--data", str(tmp_path / "tested"), "--personal", "--force", "a test"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert named_champion(data_dir / "models") == f"whisper:{made}"
    last = journal.last_release(data_dir / "models")
    assert last is not None
    assert (last.champion.name, last.candidate.name) == (f"whisper:{checkpoint}", f"whisper:{made}")
    (report, *_) = (data_dir / "models").glob("promotions/*/index.html")
    assert "<svg" in report.read_text(encoding="utf-8")
