"""Error rates of a model directory on recordings of people, through the engine that serves it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from glas.audio.segmentation import SegmentationOptions, segment_speech
from glas.audio.vad import VoiceActivityDetector
from glas.domain.decoding import PLAIN, DecodingOptions
from glas.domain.metrics import ErrorRates, error_rates
from glas.domain.transcription import Hypothesis, Samples
from glas.engines import Engine
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.confidence import Calibrates
from glas.training.sound.channel import decode_audio
from glas.training.voices.festvox import held_out_readings

BEAM_SIZE = 5
FESTVOX = "festvox"


@dataclass(frozen=True)
class TestSet:
    """Recordings, each with what was said in it."""

    name: str
    audio: Sequence[Path]
    texts: Sequence[str]


def folder_set(folder: Path) -> TestSet:
    """A folder of recordings in Hugging Face's `audiofolder` layout: `metadata.jsonl` with file_name and text."""
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    return TestSet(folder.name, [folder / row["file_name"] for row in rows], [row["text"] for row in rows])


def festvox_set(package: Path) -> TestSet:
    """The held-out half of the festvox reader's sentences."""
    readings = held_out_readings(package)
    return TestSet(FESTVOX, [one.audio for one in readings], [one.text for one in readings])


def test_sets(festvox: Path | None, recordings: Sequence[Path]) -> list[TestSet]:
    """Every set there is."""
    return [*([festvox_set(festvox)] if festvox else []), *(folder_set(folder) for folder in recordings)]


def open_engine(model: Path, cache: Path, calibration: Calibrates | None = None) -> WhisperEngine:
    """The engine as it serves the model, one thread; with another calibration than the model's, if one is given."""
    return WhisperEngine(model, name=model.name, cache=cache, beam_size=BEAM_SIZE, calibration=calibration)


def hypotheses(
    engine: Engine, vad: VoiceActivityDetector, samples: Samples, options: DecodingOptions = PLAIN
) -> Iterator[Hypothesis]:
    """Recognise samples (n,) piece by piece, cut where the server cuts them."""
    for piece in segment_speech([samples], vad, SegmentationOptions()):
        yield from engine.recognise([piece.samples], options)


def transcribe(engine: Engine, test_set: TestSet) -> list[str]:
    """The texts of a set's recordings."""
    vad = VoiceActivityDetector()
    return [
        " ".join(one.text for one in hypotheses(engine, vad, decode_audio(str(audio))) if one.text)
        for audio in test_set.audio
    ]


def measure(engine: Engine, sets: Sequence[TestSet]) -> dict[str, ErrorRates]:
    """Error rates by the name of the set."""
    return {one.name: error_rates(one.texts, transcribe(engine, one)) for one in sets}
