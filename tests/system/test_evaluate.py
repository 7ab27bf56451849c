"""Test that `glas evaluate` judges the server's texts, and that its figures are computed from these texts."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.cli import app
from glas.domain.metrics import error_rates
from glas.engines.catalogue import embedded_directory
from glas.engines.versions import ModelVersions
from glas.engines.whisper import WhisperEngine
from glas.recognition import report_parts, trial
from glas.recognition.nonspeech import clips
from tests.conftest import Sample, Server, as_wav
from tests.models.latin_names import RECORDING, SLOT_SAMPLES, SPOKEN

N_SAMPLES = 3
N_NAMES = 8  # 32 s: more than a window of the model
N_NOISES = 3

Evaluated = dict[str, Any]


def evaluate(environment: dict[str, str], place: Path, *more: str, model: str = "embedded") -> Result:
    """Run the command in this process, which has imported everything already."""
    foreign = dict.fromkeys((name for name in os.environ if name.startswith("GLAS_")), None)
    done = CliRunner().invoke(app, ["evaluate", model, "--data", str(place), *more], env=foreign | environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, samples: Sequence[Sample]) -> Path:
    """Return recordings of people, names in synthetic voices, a long recording, and noise."""
    folder = tmp_path_factory.mktemp("data")
    made = {one.path.name: (one.path.read_bytes(), one.text) for one in samples[:N_SAMPLES]}
    names = np.concatenate(list(decode_blocks(RECORDING.read_bytes(), DecodeLimits())))[: N_NAMES * SLOT_SAMPLES]
    made["names.wav"] = (as_wav(names), " ".join(text for _, text in SPOKEN[:N_NAMES]))
    for kind, sound in clips(N_NOISES, 3.0):
        made[f"{kind}.wav"] = (as_wav(sound), "")
    for name, (content, _) in made.items():
        (folder / name).write_bytes(content)
    rows = [json.dumps({"file_name": name, "text": text}, ensure_ascii=False) for name, (_, text) in made.items()]
    (folder / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(glas_environment: dict[str, str], data: Path) -> Evaluated:
    command = [sys.executable, "-m", "glas", "evaluate", "embedded", "--data", str(data), "--json"]
    done = subprocess.run(command, capture_output=True, check=False, env=glas_environment, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    evaluated: Evaluated = json.loads(done.stdout)
    return evaluated


def test_every_text_is_that_of_the_server(found: Evaluated, server: Server, data: Path) -> None:
    """Each text equals that of the server, in both forms of the answer."""
    texts = {one["file"]: one["text"] for one in found["utterances"]}
    assert set(texts) == {path.name for path in data.iterdir()} - {"metadata.jsonl"}
    served: dict[str, set[str]] = {name: set() for name in texts}
    with httpx.Client(base_url=server.url, timeout=120) as http:
        for name in texts:
            for form in ("json", "verbose_json"):
                files = {"file": (name, (data / name).read_bytes())}
                answer = http.post("/v1/audio/transcriptions", files=files, data={"response_format": form})
                served[name].add(answer.raise_for_status().json()["text"])
    assert served == {name: {text} for name, text in texts.items()}


def test_what_nobody_said_is_left_out(found: Evaluated, data: Path, tmp_path: Path) -> None:
    """Text for noise is removed, as by the server, although the engine writes it."""
    noises = {one["file"]: one["text"] for one in found["utterances"] if not one["reference"]}
    assert set(noises.values()) == {""}
    engine = WhisperEngine(embedded_directory(), name="embedded", cache=tmp_path)
    sounds = [np.concatenate(list(decode_blocks((data / name).read_bytes(), DecodeLimits()))) for name in noises]
    assert any(one.text for sound in sounds for one in engine.recognise([sound]))


def test_the_figures_follow_from_the_texts(
    found: Evaluated, glas_environment: dict[str, str], data: Path, tmp_path: Path
) -> None:
    """Rates and intervals are reproducible; a manifest of NeMo gives equal figures."""
    utterances = found["utterances"]
    rates = error_rates([one["reference"] for one in utterances], [one["text"] for one in utterances])
    assert found["rates"] == json.loads(rates.model_dump_json())
    assert sum(one["word_errors"] for one in utterances) == rates.word_errors
    assert sum(one["char_errors"] for one in utterances) == rates.char_errors
    assert found["model"] == {"name": "embedded", "version": ModelVersions(tmp_path).version_of("embedded")}
    for rate in ("wer", "cer"):
        interval = found[f"{rate}_interval"]
        assert interval["low"] < found["rates"][rate] < interval["high"]
        assert interval["level"] == 0.95
    rows = [json.loads(line) for line in (data / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    manifest = tmp_path / "manifest.json"
    lines = [{"audio_filepath": str(data / row["file_name"]), "text": row["text"]} for row in rows]
    manifest.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    again: Evaluated = json.loads(evaluate(glas_environment, manifest, "--json").stdout)
    times = ("data", "utterances", "processing_s")
    assert {k: v for k, v in again.items() if k not in times} == {k: v for k, v in found.items() if k not in times}
    assert [one["text"] for one in again["utterances"]] == [one["text"] for one in utterances]


def test_the_page_shows_the_parts_and_the_worst_recordings(
    glas_environment: dict[str, str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "NONSPEECH", 3)
    monkeypatch.setattr(report_parts, "_LARGEST_SOUND", 2_000_000)  # the recording with errors is long
    place = tmp_path / "page.html"
    found: Evaluated = json.loads(evaluate(glas_environment, data, "--json", "--page", str(place)).stdout)
    page = place.read_text(encoding="utf-8")
    wrong = [one for one in found["utterances"] if one["word_errors"]]
    assert wrong
    assert all(f"<td>{one['word_errors']} / {one['words']}</td>" in page for one in wrong)
    assert page.count("<audio") == len(wrong)
    assert page.count("<rect") >= 3, "a bar for each part of the recordings"
    assert f"{100 * found['rates']['wer']:.2f}".replace(".", ",") in page
    assert "0 / 3" in page


def test_a_recording_that_cannot_be_recognised_is_told_and_in_no_figure(
    glas_environment: dict[str, str], samples: Sequence[Sample], tmp_path: Path
) -> None:
    (tmp_path / "good.ogg").write_bytes(samples[0].path.read_bytes())
    (tmp_path / "bad.ogg").write_bytes(b"OggS" + bytes(100))
    rows = [{"file_name": f"{name}.ogg", "text": samples[0].text} for name in ("bad", "good")]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = evaluate(glas_environment, tmp_path)
    assert done.exit_code == 1
    assert "✗ bad.ogg" in done.stderr
    assert "записей 1," in done.stdout
    assert "не распозналось, не учтено: 1" in done.stdout
    assert "WER     0,00 %   замен 0" in done.stdout  # one recording has no interval


@pytest.mark.parametrize(
    ("model", "place", "said"), [("embedded", "nowhere", "no such file or directory"), ("nobody", ".", "glas models")]
)
def test_mistakes_are_explained(
    glas_environment: dict[str, str], data: Path, model: str, place: str, said: str
) -> None:
    done = evaluate(glas_environment, Path(os.path.normpath(data / place)), model=model)
    assert done.exit_code == 1
    assert said in done.stderr
