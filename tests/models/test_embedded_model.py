"""The embedded model: its files are complete and small, and it recognises people without a network."""

import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ctranslate2", reason="recognition dependencies are not installed")
pytest.importorskip("av", reason="recognition dependencies are not installed")

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.decoding import DecodingOptions
from glas.domain.text import normalise
from glas.domain.transcription import Hypothesis, Samples
from glas.engines import Engine
from glas.engines.catalogue import embedded_directory, is_on_disk, known_model
from glas.engines.load import load_engine
from glas.engines.whisper import WhisperEngine
from glas.recognition import open_recogniser
from glas.recognition.nonspeech import KINDS, clips
from glas.settings import Settings
from tests.conftest import Sample, as_wav

MOST_LOAD_CPU_S = 5.0


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("embedded", models_dir=Path("no-models"))


@pytest.fixture(scope="module")
def sounds(samples: list[Sample]) -> list[Samples]:
    return [np.concatenate(list(decode_blocks(one.path.read_bytes(), DecodeLimits()))) for one in samples]


@pytest.fixture(scope="module")
def alone(engine: Engine, sounds: list[Samples]) -> list[Hypothesis]:
    """Recognise each sample alone."""
    return [engine.recognise([sound])[0] for sound in sounds]


def test_it_is_whole_and_small_enough_for_a_repository() -> None:
    assert is_on_disk(Path("no-models"), "embedded")
    weights = (embedded_directory() / "model.bin").stat().st_size / 1e6
    assert weights < 60
    assert known_model("embedded").size_mb == pytest.approx(weights, rel=0.1)


def test_every_sample_is_read_without_an_error(samples: list[Sample], alone: list[Hypothesis]) -> None:
    assert [normalise(one.text) for one in alone] == [normalise(one.text) for one in samples]
    assert {one.language for one in alone} == {"ru"}
    assert {one.model for one in alone} == {"embedded"}


def test_it_writes_capitals_and_full_stops(engine: Engine, alone: list[Hypothesis]) -> None:
    assert engine.abilities.punctuates
    assert [one.text for one in alone if not (one.text[0].isupper() and one.text[-1] in ".?!…")] == []


def test_words_have_times_within_the_sound_and_confidences(alone: list[Hypothesis]) -> None:
    for heard in alone:
        assert " ".join(word.text for word in heard.words) == heard.text
        times = [time_s for word in heard.words for time_s in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= heard.duration_s
        assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in heard.words)


def test_a_batch_gives_the_texts_of_single_messages(
    engine: Engine, sounds: list[Samples], alone: list[Hypothesis]
) -> None:
    together = engine.recognise(sounds)
    assert [normalise(one.text) for one in together] == [normalise(one.text) for one in alone]


def test_it_is_a_model_for_russian_alone(engine: Engine, sounds: list[Samples], alone: list[Hypothesis]) -> None:
    assert engine.abilities.languages == {"ru"}
    assert not engine.abilities.translates
    (heard,) = engine.recognise([sounds[0]], DecodingOptions(language=None))
    assert (heard.language, heard.text) == ("ru", alone[0].text)


def test_where_nobody_speaks_a_server_writes_nothing() -> None:
    """The model alone writes text for every noise; the speech detector prevents such text in a server."""
    with open_recogniser(Settings(_env_file=None, model="embedded")) as recogniser:
        texts = {kind: recogniser.transcribe(as_wav(sound)).hypothesis.text for kind, sound in clips(len(KINDS), 3.0)}
    assert texts == dict.fromkeys(KINDS, "")


def test_it_loads_quickly() -> None:
    began_s = time.process_time()
    engine = WhisperEngine(embedded_directory(), name="embedded", cache=Path("no-cache"))
    assert time.process_time() - began_s < MOST_LOAD_CPU_S
    engine.close()
