"""The ONNX engine with real (tiny) networks that recognise tones as letters."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from glas.domain.decoding import DecodingOptions
from glas.domain.errors import (
    AudioTooLongError,
    ConfigurationError,
    InvalidParameterError,
    ModelError,
    ModelFileMissingError,
    ModelLoadError,
)
from glas.engines.catalogue import local_directory
from glas.engines.load import load_engine
from glas.engines.onnx import OnnxEngine
from tests.models.gigaam_layout import gigaam_ctc, gigaam_rnnt, nemo_ctc, sing

Build = Callable[[Path], Path]
FAMILIES = [gigaam_ctc, gigaam_rnnt, nemo_ctc]
SONG = "аб ва"


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda build: build.__name__)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OnnxEngine:
    """The engine with each family of models."""
    build: Build = request.param
    return OnnxEngine(build(tmp_path_factory.mktemp(build.__name__)), name=f"onnx:{build.__name__}")


def test_tones_become_the_letters_that_they_stand_for(engine: OnnxEngine) -> None:
    [heard] = engine.recognise([sing(SONG)])
    assert heard.text == SONG
    assert heard.model == engine.name
    assert heard.duration_s == pytest.approx(1.6)


def test_words_lie_where_their_tones_sound(engine: OnnxEngine) -> None:
    # Tones of 0.2 s with pauses of 0.1 s: `аб` sounds from 0.1 to 0.6 s, `ва` from 1.0 to 1.5 s.
    [heard] = engine.recognise([sing(SONG)])
    first, second = heard.words
    assert 0.05 <= first.start_s <= 0.2
    assert 0.4 <= first.end_s <= 0.7
    assert 0.95 <= second.start_s <= 1.1
    assert 1.3 <= second.end_s <= 1.6
    [segment] = heard.segments
    assert (segment.start_s, segment.end_s) == (first.start_s, second.end_s)
    assert segment.text == " ".join(word.text for word in segment.words)


def test_probabilities_become_confidences(engine: OnnxEngine) -> None:
    [heard] = engine.recognise([sing(SONG)])
    [segment] = heard.segments
    assert segment.avg_logprob is not None
    assert -0.5 < segment.avg_logprob <= 0
    assert [word.confidence for word in heard.words] == [pytest.approx(0.9, abs=0.1)] * 2
    assert segment.confidence == pytest.approx(sum(word.confidence or 0 for word in heard.words) / 2)


def test_a_faint_letter_lowers_the_confidence_of_its_word_only(tmp_path: Path) -> None:
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones")
    faint = np.concatenate([sing("аб "), sing("в", loudness=0.06), sing("а")])
    sure, unsure = engine.recognise([faint])[0].words
    assert (sure.text, unsure.text) == ("аб", "ва")
    assert sure.confidence is not None
    assert unsure.confidence is not None
    assert unsure.confidence < 0.8 < sure.confidence


def test_a_keyword_is_written_for_what_sounds_like_it_and_is_unsure(tmp_path: Path) -> None:
    """This engine cannot score other texts, so certain words do not change, except for capitals."""
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones")
    assert engine.abilities.takes_keywords
    options = DecodingOptions(hotwords="Фаба, АБ")
    faint = np.concatenate([sing("аб "), sing("в", loudness=0.06), sing("аба")])
    sure, unsure = engine.recognise([sing("аб ваба"), faint], options)
    assert (sure.text, unsure.text) == ("АБ ваба", "АБ Фаба")
    assert [(use.heard, use.text) for use in unsure.segments[0].keywords] == [("аб", "АБ"), ("ваба", "Фаба")]
    assert unsure.text == " ".join(word.text for word in unsure.words)


def test_a_batch_gives_what_its_pieces_give_alone(engine: OnnxEngine) -> None:
    pieces = [sing(SONG), sing("ва аб ба"), sing(SONG, letter_s=0.4)]
    assert engine.recognise(pieces) == [engine.recognise([piece])[0] for piece in pieces]


def test_pieces_in_one_call_of_the_network_give_the_same_texts(tmp_path: Path) -> None:
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones")
    engine._one_by_one = False  # as on a graphics card, where this is faster
    pieces = [sing(SONG), np.zeros(10, np.float32), sing("ва аб ба"), sing("б")]
    assert [heard.text for heard in engine.recognise(pieces)] == [SONG, "", "ва аб ба", "б"]


@pytest.mark.parametrize("n_samples", [0, 1, 159, 400, 1599])
def test_too_short_for_a_word_is_heard_as_nothing_and_disturbs_no_neighbour(engine: OnnxEngine, n_samples: int) -> None:
    nothing, heard = engine.recognise([np.ones(n_samples, np.float32), sing(SONG)])
    assert (nothing.text, nothing.segments, nothing.duration_s) == ("", (), n_samples / 16_000)
    assert heard.text == SONG


def test_silence_has_no_text_and_no_segments(engine: OnnxEngine) -> None:
    for silence in engine.recognise([np.zeros(1600, np.float32), np.zeros(32_000, np.float32)]):
        assert (silence.text, silence.segments) == ("", ())
    assert engine.recognise([]) == []


def test_threads_share_one_engine(engine: OnnxEngine) -> None:
    songs = [SONG, "ва аб", "ба ва аб", "вава баб а"] * 5
    with ThreadPoolExecutor(4) as threads:
        heard = list(threads.map(lambda song: engine.recognise([sing(song)])[0].text, songs))
    assert heard == [engine.recognise([sing(song)])[0].text for song in songs]


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (np.zeros(16_000, np.float64), "dtype float32; got shape \\(16000,\\), dtype float64"),
        (np.zeros((16_000, 2), np.float32), "shape \\(n_samples,\\).*got shape \\(16000, 2\\)"),
        ([0.0] * 16_000, "got list"),
        (np.full(16_000, np.nan, np.float32), "finite"),
    ],
)
def test_what_is_not_samples_is_refused_at_the_door(tmp_path: Path, samples: object, complaint: str) -> None:
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones")
    with pytest.raises(InvalidParameterError, match=complaint):
        engine.recognise([sing("а"), samples])  # type: ignore[list-item]


def test_a_piece_longer_than_the_window_is_refused(tmp_path: Path) -> None:
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones", window_s=2)
    with pytest.raises(AudioTooLongError, match=r"at most 2 s.*got 3\.0 s"):
        engine.recognise([np.zeros(48_000, np.float32)])


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    engine = OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones")
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.recognise([sing("а")])


@pytest.mark.parametrize(
    ("build", "file"),
    [
        (gigaam_ctc, "v3_ctc.onnx"),
        (gigaam_ctc, "v3_vocab.txt"),
        (gigaam_ctc, "config.json"),
        (gigaam_rnnt, "v3_rnnt_joint.onnx"),
        (nemo_ctc, "vocab.txt"),
    ],
)
def test_a_directory_that_lacks_a_file_is_refused_with_both_names(tmp_path: Path, build: Build, file: str) -> None:
    models_dir = tmp_path / "models"
    (build(tmp_path / "model") / file).unlink()
    with pytest.raises(ModelFileMissingError) as error:
        load_engine(f"onnx:{tmp_path / 'model'}", models_dir=models_dir)
    assert file in str(error.value)
    assert str(tmp_path / "model") in str(error.value)


@pytest.mark.parametrize("build", FAMILIES)
def test_a_truncated_network_is_a_load_error(tmp_path: Path, build: Build) -> None:
    network = next(build(tmp_path).glob("*.onnx"))
    network.write_bytes(network.read_bytes()[: network.stat().st_size // 2])
    with pytest.raises(ModelLoadError, match=str(tmp_path)):
        OnnxEngine(tmp_path, name="onnx:broken")


def test_a_network_for_other_features_is_a_load_error(tmp_path: Path) -> None:
    config = json.loads((nemo_ctc(tmp_path) / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"features_size": 128}), encoding="utf-8")
    with pytest.raises(ModelLoadError, match="fails on a second of silence"):
        OnnxEngine(tmp_path, name="onnx:broken")


def test_a_gigaam_v3_whose_configuration_hides_its_version_is_refused(tmp_path: Path) -> None:
    (gigaam_ctc(tmp_path) / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelLoadError, match='"version": "v3"'):
        OnnxEngine(tmp_path, name="onnx:tones")


def test_int8_is_taken_where_it_is_there(tmp_path: Path) -> None:
    gigaam_ctc(tmp_path, int8_says=("б", "в", "а"))
    assert OnnxEngine(tmp_path, name="onnx:tones").recognise([sing("абв")])[0].text == "бва"
    (tmp_path / "v3_ctc.int8.onnx").unlink()
    assert OnnxEngine(tmp_path, name="onnx:tones").recognise([sing("абв")])[0].text == "абв"


def test_a_known_model_is_loaded_from_its_place_by_its_short_name(tmp_path: Path) -> None:
    gigaam_rnnt(local_directory(tmp_path, "gigaam-v3-rnnt"))
    engine = load_engine("gigaam-v3-rnnt", models_dir=tmp_path)
    assert (engine.name, engine.window_s) == ("onnx:gigaam-v3-rnnt", 25)
    assert engine.recognise([sing(SONG)])[0].text == SONG


def test_a_known_model_that_is_not_on_disk_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissingError, match="glas models get gigaam-v3-ctc"):
        load_engine("onnx:gigaam-v3-ctc", models_dir=tmp_path)


def test_a_directory_of_several_models_is_refused_with_their_names(tmp_path: Path) -> None:
    gigaam_ctc(tmp_path)
    gigaam_rnnt(tmp_path)
    with pytest.raises(ModelLoadError, match="gigaam-v3-ctc, gigaam-v3-rnnt"):
        load_engine(f"onnx:{tmp_path}", models_dir=tmp_path)


def test_an_absent_provider_is_refused_and_not_replaced_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"NoSuchExecutionProvider.*CPUExecutionProvider"):
        OnnxEngine(gigaam_ctc(tmp_path), name="onnx:tones", providers=["NoSuchExecutionProvider"])


def test_asking_for_names_loads_no_inference_library() -> None:
    code = "import sys, glas.engines.load, glas.engines.fetch; print({'onnxruntime', 'onnx_asr'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
