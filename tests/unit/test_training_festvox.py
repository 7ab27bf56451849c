"""The stranger's recordings, and that nobody reads his held-out sentences into training."""

import json
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ConfigurationError

pytest.importorskip("pymorphy3", reason="training dependencies are not installed (see `make train-setup`)")
pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")

from glas.training.voices.festvox import held_out_readings, read_festvox
from glas.training.voices.voxforge import read_voxforge

SENTENCES = [
    "Она завела прядь вол+ос за ухо, подняла с тротуара корзинку.",
    "Со спокойным мужеством он ожидал всего в этом безумном городе.",
    "Дверь, почему-то, была открыта настежь.",
    "Через полчаса поезд подошёл к станции, и все вышли.",
    "Ветер с моря принёс запах соли и мокрых досок.",
    "Никто не заметил, как погас последний фонарь.",
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Laid out as Debian's package is when unpacked."""
    voice = tmp_path / "unpacked" / "usr" / "share" / "festival" / "voices" / "russian" / "msu_ru_nsh_clunits"
    (voice / "etc").mkdir(parents=True)
    lines = [f'( ru_{number:04d} "{sentence}" )\n' for number, sentence in enumerate(SENTENCES)]
    (voice / "etc" / "txt.done.data").write_text("".join(lines), encoding="utf-8")
    return tmp_path / "unpacked"


def voxforge_like(folder: Path, prompts: list[str]) -> Path:
    """Public cepstra of twenty readers who read the prompts, as they are laid out."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = [(f"reader{reader}", prompt) for reader in range(20) for prompt in prompts]
    np.savez(
        folder / "voxforge_ru_mfcc_train.npz",
        feats=rng.integers(0, 255, (10 * len(rows), 13), dtype=np.uint8),
        mean=np.zeros(13, np.float32),
        std=np.ones(13, np.float32),
    )
    records = [
        {"speaker": speaker, "text": text, "offset": 10 * number, "frames": 10}
        for number, (speaker, text) in enumerate(rows)
    ]
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def test_transcripts_lose_their_stress_marks_and_find_their_recordings(package: Path) -> None:
    readings = read_festvox(package)
    assert readings[0].text == "она завела прядь волос за ухо подняла с тротуара корзинку"
    assert [reading.audio.name for reading in readings] == [f"ru_{number:04d}.wav" for number in range(6)]


def test_held_out_sentences_stay_out_of_training_however_they_are_spelt(package: Path, tmp_path: Path) -> None:
    held_out = [reading.text for reading in held_out_readings(package)]
    other = [reading.text for reading in read_festvox(package) if reading.text not in held_out]
    assert held_out
    assert other
    misspelt = [" ".join([*text.split()[:-1], "иначе"]) for text in held_out]
    read = read_voxforge(voxforge_like(tmp_path / "voxforge", held_out + misspelt + other), held_out)
    trained_on = {text for side, _, text, _ in read if side == "train"}
    assert trained_on
    assert trained_on <= set(other)


def test_another_folder_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"festvox-ru with one etc/txt\.done\.data .* got 0"):
        read_festvox(tmp_path)
