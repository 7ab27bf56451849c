"""Conversion of a checkpoint to CTranslate2's format: once, completely or not at all, and again after a change."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from glas.domain.errors import ConfigurationError, ModelError, ModelFileMissingError, ModelLoadError
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.safetensors import read_tensors
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper import cache as caching
from glas.engines.whisper.cache import RECORD, converted
from glas.engines.whisper.context import FULL_WINDOW, ContextRule
from glas.engines.whisper.mel import filled, log_mel
from glas.engines.whisper.onnx_network import OnnxNetwork
from glas.engines.whisper.vocabulary import load_tokenizer, token_list
from glas.recognition.recogniser import make_registry
from glas.settings import Settings
from glas.settings.groups import NnServiceSettings
from tests.models.conftest import MakeWhisper

pytest.importorskip("torch", reason="the model of these tests is trained here: make train-setup")

from tests.models.chords import speak
from tests.models.tiny_whisper import save_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def source(make_whisper: MakeWhisper) -> Path:
    return make_whisper()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def weights_of(directory: Path) -> bytes:
    return (directory / "model.bin").read_bytes()


def text_of(source: Path, cache: Path) -> str:
    engine = WhisperEngine(source, name="chords", cache=cache, precision="float32")
    return engine.recognise([speak([0, 2, 4], np.random.default_rng(1)).samples])[0].text


def rewrite(source: Path, change: Any) -> None:
    tensors = {name: np.array(tensor) for name, tensor in read_tensors(source / "model.safetensors").items()}
    change(tensors)
    save_tensors(source / "model.safetensors", tensors)


def test_a_checkpoint_is_converted_once(source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = converted(source, cache, "int8")
    assert made.parent == cache
    monkeypatch.setattr(caching, "convert", lambda *_: pytest.fail("converted again"))
    assert converted(source, cache, "int8") == made
    # Copied or touched files are the same files; they are looked through once.
    for path in source.iterdir():
        os.utime(path)
    assert converted(source, cache, "int8") == made
    assert converted(made, cache, "int8") == made, "what is converted is not converted"


def test_changed_weights_or_another_precision_are_converted_anew(source: Path, cache: Path) -> None:
    made = converted(source, cache, "int8")
    before = weights_of(made)
    assert converted(source, cache, "float32") != made
    rewrite(source, lambda tensors: tensors["model.encoder.conv1.bias"].__iadd__(1))
    assert converted(source, cache, "int8") == made
    assert weights_of(made) != before


def test_a_card_that_says_more_is_converted_anew(source: Path, cache: Path) -> None:
    assert WhisperEngine(source, name="chords", cache=cache).context == FULL_WINDOW
    (source / "README.md").write_text("---\ndynamic_context: true\n---\n", encoding="utf-8")
    assert WhisperEngine(source, name="chords", cache=cache).context == ContextRule(0.0)


def test_a_conversion_that_breaks_off_leaves_nothing_that_looks_like_a_model(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(_source: Path, target: Path, _quantisation: str) -> None:
        (target / "model.bin").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(caching, "convert", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            converted(source, cache, "int8")
    assert not [path for path in cache.iterdir() if path.is_dir()]
    # Nor does what a killed process left stand in the way.
    made = converted(source, cache, "int8")
    part = made.with_name(f"{made.name}.part")
    part.mkdir()
    (part / "model.bin").write_bytes(b"half")
    shutil.rmtree(made)
    assert weights_of(converted(source, cache, "int8"))
    assert not part.exists()


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", RECORD])
def test_a_damaged_conversion_is_made_again(source: Path, cache: Path, name: str) -> None:
    made = converted(source, cache, "int8")
    whole = (made / name).read_bytes()
    (made / name).write_bytes(whole[:-10])
    assert converted(source, cache, "int8") == made
    if name != RECORD:
        assert (made / name).read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_told(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be written"):
        converted(source, tmp_path / "file" / "cache", "int8")


def test_torch_is_not_needed(source: Path, cache: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from pathlib import Path\n"
        "from glas.engines.whisper import WhisperEngine\n"
        "import numpy as np\n"
        "engine = WhisperEngine(Path(sys.argv[1]), name='chords', cache=Path(sys.argv[2]))\n"
        "print(repr(engine.recognise([np.zeros(16000, np.float32)])[0].text))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(cache)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "''\n"


def test_half_precision_and_several_files_are_read(source: Path, cache: Path) -> None:
    expected = text_of(source, cache)
    assert expected == "мама хлеб двадцать"
    tensors = {name: np.array(tensor) for name, tensor in read_tensors(source / "model.safetensors").items()}
    # Cut, not rounded: close enough for a network to hear the same.
    bfloat16 = {name: (tensor.view(np.uint32) >> 16).astype(np.uint16) for name, tensor in tensors.items()}
    float16 = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    for stored in (bfloat16, float16):
        save_tensors(source / "model.safetensors", stored)
        read = read_tensors(source / "model.safetensors")
        assert all(np.allclose(read[name], tensor, rtol=2**-7, atol=1e-6) for name, tensor in tensors.items())
        assert text_of(source, cache) == expected
    (source / "model.safetensors").unlink()
    halves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for index, (name, tensor) in enumerate(tensors.items()):
        halves[index % 2][name] = tensor
    for number, half in enumerate(halves):
        save_tensors(source / f"model-0000{number + 1}-of-00002.safetensors", half)
    index_ = {name: f"model-0000{number + 1}-of-00002.safetensors" for number in (0, 1) for name in halves[number]}
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index_}), encoding="utf-8")
    assert text_of(source, cache) == expected
    (source / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelFileMissingError, match="lacks model-00002-of-00002"):
        converted(source, cache, "int8")


def test_the_files_of_older_tokenizers_give_the_same_tokens(source: Path, cache: Path) -> None:
    whole = Tokenizer.from_file(str(source / "tokenizer.json"))
    saved = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    merges = "\n".join(["#version: 0.2", *(" ".join(pair) for pair in saved["model"]["merges"])])
    special = {entry["content"]: entry["id"] for entry in saved["added_tokens"]}
    (source / "vocab.json").write_text(json.dumps(saved["model"]["vocab"]), encoding="utf-8")
    (source / "merges.txt").write_text(merges, encoding="utf-8")
    (source / "added_tokens.json").write_text(json.dumps(special), encoding="utf-8")
    (source / "tokenizer.json").unlink()
    older = load_tokenizer(source)
    assert token_list(older, 900) == token_list(whole, 900)
    for text in (" мама ёжик", " mother", "щавель, Hello!"):
        assert older.encode(text).ids == whole.encode(text).ids
        assert older.decode(older.encode(text).ids) == text
    assert text_of(source, cache) == "мама хлеб двадцать"


def lacks(name: str) -> Any:
    return lambda source: (source / name).unlink()


def cut(name: str, kept: int) -> Any:
    return lambda source: os.truncate(source / name, kept)


def says(name: str, **entries: Any) -> Any:
    def change(source: Path) -> None:
        path = source / name
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lacks("model.safetensors"), ModelFileMissingError, r"lacks model\.safetensors"),
        (lacks("config.json"), ModelLoadError, r'expected "model_type": "whisper", got None'),
        (lacks("tokenizer.json"), ModelFileMissingError, r"lacks tokenizer\.json"),
        (cut("model.safetensors", 100_000), ModelLoadError, "damaged or was not downloaded completely"),
        (cut("model.safetensors", 4), ModelLoadError, "expected a safetensors file"),
        (cut("model.safetensors", 0), ModelLoadError, "empty"),
        (cut("config.json", 30), ModelLoadError, "is not JSON"),
        (cut("tokenizer.json", 500), ModelLoadError, "cannot be read"),
        (says("config.json", model_type="bert"), ModelLoadError, "got 'bert'"),
        (says("config.json", d_model=None), ModelLoadError, "positive number for d_model"),
        (says("config.json", d_model=128), ModelLoadError, r"expected shape \(128, 80, 3\) for encoder.conv1.weight"),
        (says("config.json", encoder_layers=3), ModelLoadError, r"lack encoder\.layers\.2"),
        (says("config.json", activation_function="relu"), ModelLoadError, "GELU"),
    ],
)
def test_damaged_and_foreign_files_are_told_by_name(
    source: Path, cache: Path, change: Any, error: type[Exception], message: str
) -> None:
    change(source)
    with pytest.raises(error, match=message):
        converted(source, cache, "int8")
    assert not [path for path in cache.glob("*") if path.is_dir()]


def test_weights_of_torch_are_told_how_to_become_readable(source: Path, cache: Path) -> None:
    (source / "model.safetensors").rename(source / "pytorch_model.bin")
    with pytest.raises(ModelFileMissingError, match=r"pytorch_model\.bin must be saved again as safetensors"):
        converted(source, cache, "int8")


def test_a_broken_model_of_ctranslate2_is_told(source: Path, cache: Path) -> None:
    made = converted(source, cache, "int8")
    os.truncate(made / "model.bin", 20_000)
    with pytest.raises(ModelLoadError, match="damaged"):
        WhisperEngine(made, name="chords", cache=cache)


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("n_samples", [1600, 16_000, 64_123, 28 * SAMPLE_RATE_HZ])
def test_features_are_those_of_a_sound_that_is_padded_to_half_a_minute(n_mels: int, n_samples: int) -> None:
    rng = np.random.default_rng(n_samples)
    loudness = np.abs(np.sin(np.arange(n_samples) / 3000))
    samples = (0.1 * loudness * rng.standard_normal(n_samples)).astype(np.float32)
    expected = FeatureExtractor(feature_size=n_mels)(np.pad(samples, (0, 30 * SAMPLE_RATE_HZ - n_samples)), padding=0)
    assert np.allclose(filled(*log_mel(samples, n_mels), 3000), expected, atol=1e-5)


def test_a_device_or_a_precision_that_is_not_there_is_refused(make_whisper: MakeWhisper, cache: Path) -> None:
    ctranslate2 = pytest.importorskip("ctranslate2")
    if not ctranslate2.get_cuda_device_count():
        with pytest.raises(ConfigurationError, match="no CUDA device"):
            WhisperEngine(make_whisper(), name="chords", cache=cache, device="cuda")
    empty = cache / "of-its-own"
    with pytest.raises(ConfigurationError, match=r"GLAS_NN_SERVICE__PRECISION.*float32, int8.*got bfloat16"):
        WhisperEngine(make_whisper(), name="chords", cache=empty, precision="bfloat16")
    assert not empty.exists(), "it is refused before anything is converted"


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_the_precision_of_the_settings_is_that_of_the_weights(
    make_whisper: MakeWhisper, tmp_path: Path, precision: Literal["int8", "float32"]
) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        model=f"whisper:{make_whisper()}",
        nn_service=NnServiceSettings(precision=precision),
    )
    registry = make_registry(settings)
    registry.load(registry.default)
    ((name, model),) = registry.loaded().items()
    assert isinstance(model.engine, WhisperEngine)
    assert isinstance(model.engine._network, OnnxNetwork)
    assert model.engine._network.precision == precision, name
    registry.close()
