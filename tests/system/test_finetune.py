"""`glas finetune` and `glas promote` on the real weights: a strange voice is learnt, and the better model serves."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.engines.catalogue import embedded_directory, named_champion
from glas.recognition import journal
from glas.recognition.gate import Overlap
from glas.recognition.lineage import read_lineage
from glas.recognition.references import read_reference_set
from glas.recognition.trial import TestData, overlap_of
from glas.system.files import sha256_of
from glas.training.voices.espeak import Espeak
from glas.training.voices.speaking_style import SpeakingStyle
from tests.conftest import as_wav
from tests.speech import speak

VOICE = SpeakingStyle("m3", 140, 50)
LEARNT = (
    "Позвони, пожалуйста, брату сегодня вечером.",
    "Завтра мы едем в гости, и сестра тоже будет там.",
    "Он написал мне вчера длинное письмо.",
    "Я не знаю, где сейчас ключи и что с ними.",
    "Купи, пожалуйста, хлеба и молока по дороге домой.",
    "Мы опоздали на поезд и поехали на автобусе.",
    "На улице сильный дождь, возьми с собой зонт.",
    "Дети уже спят, говори потише.",
    "В понедельник у нас собрание в десять утра.",
    "Мне нужно забрать посылку на почте.",
    "Летом мы поедем на море всей семьёй.",
    "Передай привет бабушке и дедушке.",
    "Собака всю ночь лаяла на соседей.",
    "Я забыл дома телефон и кошелёк.",
    "Врач сказал, что всё будет хорошо.",
    "Мы купили новый стол для кухни.",
)
TESTED = (
    "Вечером я позвоню сестре и всё расскажу.",
    "Мы едем домой на поезде, скоро будем.",
    "Купи, пожалуйста, новый зонт, на улице дождь.",
    "Врач написал мне, что завтра его не будет.",
    "Бабушка поедет с нами на море летом.",
    "Забери, пожалуйста, письмо на почте.",
    "Соседи всю ночь не спали из-за собаки.",
    "В понедельник утром мне нужно быть дома.",
)


class World(NamedTuple):
    """What the tests share: the environment, recordings, and the new model."""

    environment: dict[str, str]
    learnt: Path
    tested: Path
    model: Path


def write_set(folder: Path, texts: Sequence[str]) -> Path:
    """An audiofolder of one synthetic voice."""
    folder.mkdir()
    espeak, rows = Espeak(), []
    for number, text in enumerate(texts):
        sound = speak(espeak, text, VOICE)
        (folder / f"{number}.wav").write_bytes(as_wav(0.3 * sound / np.abs(sound).max()))
        rows.append({"file_name": f"{number}.wav", "text": text, "speaker": "robot"})
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def glas(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glas", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, check=False, text=True, timeout=600)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, whisper_base: Path) -> World:
    """A voice that the embedded model hardly understands, and what it is after a few steps on sixteen sentences."""
    place = tmp_path_factory.mktemp("finetune")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GLAS_")}
    environment |= {"GLAS_DATA_DIR": str(place / "data")}
    found = World(environment, write_set(place / "learnt", LEARNT), write_set(place / "tested", TESTED), place / "new")
    learn = ("finetune", found.model, "--data", found.learnt, "--weights", whisper_base)
    done = glas(environment, *learn, "--epochs", "5", "--share", "1")
    assert done.returncode == 0, done.stderr
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_model_is_whole_and_tells_what_it_learnt(world: World) -> None:
    names = {path.name for path in world.model.iterdir()}
    assert {"model.bin", "lm.npz", "calibration.json", "adapter", "README.md", "curves.svg", "SHA256SUMS"} <= names
    lineage = read_lineage(world.model)
    assert lineage is not None
    assert lineage.speakers == ("robot",)
    assert set(lineage.recordings) == {sha256_of(path) for path in world.learnt.glob("*.wav")}
    assert lineage.base.name == embedded_directory().name
    learnt = TestData(read_reference_set(world.learnt), is_personal=True)
    assert overlap_of(lineage, learnt) == Overlap(
        n_speakers=1, n_recordings=len(LEARNT), n_texts=len(LEARNT), is_personal=True
    )
    tested = TestData(read_reference_set(world.tested), is_personal=True)
    assert overlap_of(lineage, tested) == Overlap(n_speakers=1, n_recordings=0, n_texts=0, is_personal=True)
    assert lineage.result["chosen"]["dev"]["wer"] < lineage.result["before"]["dev"]["wer"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_better_model_serves(world: World) -> None:
    done = glas(world.environment, "promote", f"whisper:{world.model}", "--data", world.tested, "--personal")
    assert done.returncode == 0, done.stdout + done.stderr
    models = Path(world.environment["GLAS_DATA_DIR"]) / "models"
    assert named_champion(models) == f"whisper:{world.model}"
    last = journal.last_release(models)
    assert last is not None
    assert last.candidate.name == f"whisper:{world.model}"
    assert last.champion.name == "embedded"
    (report, *_) = models.glob("promotions/*/index.html")
    assert "<svg" in report.read_text(encoding="utf-8")
