"""The model that lies in the repository: whole, small, loadable offline, and able to recognise the samples."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

onnx_asr = pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")
av = pytest.importorskip("av", reason="recognition dependencies are not installed")

from glas.domain.metrics import error_rates, right_words
from glas.engines.load import load_engine
from glas.training.judged.logistic import auroc, calibration_error
from glas.training.sound.channel import decode_audio
from glas.training.sound.noises import add_noise
from glas.training.voices.espeak import HELD_OUT_VARIANTS, Espeak
from glas.training.voices.manner import Manner
from glas.training.voices.samples import CANDIDATES, speak

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "embedded"
SAMPLES = ROOT / "samples"


@pytest.fixture(scope="module")
def model() -> object:
    return onnx_asr.load_model("nemo-conformer-ctc", MODEL, quantization="int8")


@pytest.fixture(scope="module")
def messages() -> list[tuple[np.ndarray, str]]:
    records = [json.loads(line) for line in (SAMPLES / "texts.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(decode_audio(io.BytesIO((SAMPLES / r["file"]).read_bytes())), r["text"]) for r in records]


def test_files_are_those_of_the_checksums() -> None:
    for line in (MODEL / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        expected, name = line.split()
        assert hashlib.sha256((MODEL / name).read_bytes()).hexdigest() == expected, name


def test_everything_is_small() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 20_000_000
    assert all(path.stat().st_size < 60_000 for path in SAMPLES.glob("*.ogg"))


def test_samples_are_recognised(model: object, messages: list[tuple[np.ndarray, str]]) -> None:
    heard = [str(model.recognize(samples, sample_rate=16_000)) for samples, _ in messages]  # type: ignore[attr-defined]
    rates = error_rates([text for _, text in messages], heard)
    assert rates.wer <= 0.40, heard
    assert rates.cer <= 0.12, heard


def test_a_batch_gives_the_same_texts_as_single_messages(model: object, messages: list[tuple[np.ndarray, str]]) -> None:
    waves = [samples for samples, _ in messages]
    alone = [str(model.recognize(wave, sample_rate=16_000)) for wave in waves]  # type: ignore[attr-defined]
    together = model.recognize(waves, sample_rate=16_000)  # type: ignore[attr-defined]
    # int8 scales are chosen per batch, so single letters may differ.
    assert error_rates(alone, [str(text) for text in together]).cer <= 0.03


def test_the_engine_reads_better_than_a_greedy_decoder(
    model: object, messages: list[tuple[np.ndarray, str]], tmp_path: Path
) -> None:
    """The language model beside the weights is used, and it helps."""
    engine = load_engine("embedded", models_dir=tmp_path)
    served = [engine.recognise([wave])[0] for wave, _ in messages]
    greedy = [str(model.recognize(wave, sample_rate=16_000)) for wave, _ in messages]  # type: ignore[attr-defined]
    said = [text for _, text in messages]
    assert error_rates(said, [one.text for one in served]).wer < error_rates(said, greedy).wer
    for one in served:
        starts = [word.start_s for word in one.words]
        assert starts == sorted(starts)
        assert one.words[-1].end_s <= one.duration_s


def test_silence_is_silence(model: object) -> None:
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32) * 1e-3
    assert len(str(model.recognize(noise, sample_rate=16_000))) <= 10  # type: ignore[attr-defined]


def test_confidence_tells_right_words_from_wrong_ones(tmp_path: Path) -> None:
    """On voices and sentences that the network never heard, spoken here, half of them in noise."""
    engine = load_engine("embedded", models_dir=tmp_path)
    espeak, rng = Espeak(), np.random.default_rng(3)
    sure: list[float] = []
    right: list[bool] = []
    for number, text in enumerate(CANDIDATES * 2):
        manner = Manner(HELD_OUT_VARIANTS[(5 * number + 1) % len(HELD_OUT_VARIANTS)], 150, 50)
        samples = speak(espeak, text, manner)
        if number % 2:
            samples = add_noise(rng, samples, [], (3, 10))
        [heard] = engine.recognise([samples])
        sure += [word.confidence for word in heard.words if word.confidence is not None]
        right += right_words(text, heard.text)
    assert len(sure) == len(right) > 150
    told = auroc(np.array(sure), np.array(right))
    assert told is not None
    assert told >= 0.8
    assert calibration_error(np.array(sure), np.array(right, float)) <= 0.12
