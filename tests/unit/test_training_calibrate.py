"""Calibration in miniature: spoken, fitted to the model of the repository, measured, written, loaded."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")
pytest.importorskip("espeakng_loader", reason="training dependencies are not installed (see `make train-setup`)")

from glas.engines import confidence
from glas.training.judged.calibrate import SHARD, VOICES, calibrate, utterances
from glas.training.judged.card import confidence_section
from glas.training.judged.evaluate import TestData as DataOfTests
from glas.training.sound.shards import open_shard, write_shard
from glas.training.texts.sentences import TextSource
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak
from glas.training.voices.synthesise import Speaker
from glas.training.voices.synthesise import test_utterances as utterances_of_a_test
from tests.unit.test_training_smoke import LEXICON

MODEL = Path(__file__).parents[2] / "models" / "embedded"


@pytest.mark.slow
def test_calibrate_fits_measures_and_writes(tmp_path: Path) -> None:
    folder, shards, espeak = tmp_path / "model", tmp_path / "shards", Espeak()
    shutil.copytree(MODEL, folder)
    (folder / confidence.FILE).unlink()
    write_shard(shards, SHARD, utterances(Speaker(espeak, TextSource(LEXICON, 1), 1, None), 20))
    spoken = Speaker(espeak, TextSource(LEXICON, 2), 2, None)
    write_shard(shards, "test-clean", utterances_of_a_test(spoken, 12, clean=True))
    picture = tmp_path / "reliability.svg"
    calibrate(folder, DataOfTests(tmp_path), picture)

    found = confidence.load(folder)
    assert found is not None
    assert set(VOICES) < set(HELD_OUT_VARIANTS)
    assert {entry.source for entry in open_shard(shards, SHARD).entries} <= set(VOICES)
    measured = json.loads((folder / confidence.FILE).read_text(encoding="utf-8"))["measured"]
    assert set(measured) == {"test-clean", "test-clean, voices new to both"}
    assert measured["test-clean"]["utterances"] == 12
    assert 0 <= measured["test-clean"]["mean_confidence"] <= 1
    assert confidence.FILE in (folder / "SHA256SUMS").read_text(encoding="utf-8")
    assert ET.fromstring(picture.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own
    assert "| Held-out espeak-ng voices, held-out sentences, clean | " in confidence_section(folder)
    assert "not calibrated" in confidence_section(tmp_path)
