"""Weights as arrays: equal for every file format that contains them."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.engines.safetensors import read_tensors, write_tensors
from glas.engines.whisper.arrays import Quantised, load_arrays, load_configuration, stored_arrays
from glas.engines.whisper.convert import Quantisation, convert
from glas.engines.whisper.model import read_model
from tests.models.random_whisper import LAYERS, WIDTH, save_random

Convert = Callable[[Quantisation], Path]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("whisper") / "random")


@pytest.fixture
def in_ctranslate2(source: Path, tmp_path: Path) -> Convert:
    def make(quantisation: Quantisation) -> Path:
        target = tmp_path / quantisation
        target.mkdir()
        convert(source, target, quantisation)
        return target

    return make


@pytest.mark.parametrize("quantisation", ["float16", "float32"])
def test_what_is_converted_can_be_read_back_to_the_bit(
    source: Path, in_ctranslate2: Convert, quantisation: Quantisation
) -> None:
    made = in_ctranslate2(quantisation)
    expected, found = load_arrays(source), load_arrays(made)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert all(array.dtype == np.float32 for array in found.values())
    said, read = load_configuration(source), load_configuration(made)
    assert {name: said[name] for name in read} == read
    again = read_model(made)
    assert again.tokenizer.get_vocab() == read_model(source).tokenizer.get_vocab()
    assert again.settings == read_model(source).settings


def test_names_are_the_same_with_and_without_the_name_of_the_whole(source: Path, tmp_path: Path) -> None:
    bare = save_random(tmp_path / "bare", prefix="")
    assert load_arrays(bare).keys() == load_arrays(source).keys()


def test_an_output_layer_of_its_own_is_read_too(source: Path, tmp_path: Path) -> None:
    other = save_random(tmp_path / "other")
    tensors = {name: np.array(tensor) for name, tensor in read_tensors(other / "model.safetensors").items()}
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"] * 2
    write_tensors(other / "model.safetensors", tensors)
    made = tmp_path / "made"
    made.mkdir()
    convert(other, made, "float32")
    assert np.array_equal(load_arrays(made)["proj_out.weight"], tensors["proj_out.weight"])
    assert "proj_out.weight" not in load_arrays(source)


def test_whole_numbers_are_given_with_their_scales_and_without(source: Path, in_ctranslate2: Convert) -> None:
    made = in_ctranslate2("int8")
    stored, whole, exact = quantised(made), load_arrays(made), load_arrays(source)
    # Embeddings, two convolutions, and of each layer 6 matrices in the encoder and 10 in the decoder.
    assert len(stored) == 1 + 2 + LAYERS * (6 + 10)
    assert stored["decoder.layers.1.encoder_attn.k_proj.weight"].values.shape == (WIDTH, WIDTH)
    for name, (values, scale) in stored.items():
        assert values.dtype == np.int8
        assert scale.dtype == np.float32
        assert scale.shape == values.shape[:1]
        assert np.abs(values).reshape(len(values), -1).max(axis=1).min() == 127
        per_row = scale.reshape(-1, *[1] * (values.ndim - 1))
        assert np.array_equal(whole[name], values / per_row)
        assert np.all(np.abs(whole[name] - exact[name]) <= 0.501 / per_row)
    untouched = exact.keys() - stored.keys()
    assert all(np.array_equal(whole[name], exact[name]) for name in untouched)
    assert "encoder.conv1.weight" in stored
    assert quantised(in_ctranslate2("float16")) == {}


def quantised(model: Path) -> dict[str, Quantised]:
    """The arrays of whole numbers in a model."""
    stored = stored_arrays(model / "model.bin")
    return {name: one for name, one in stored.items() if isinstance(one, Quantised)}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _put(place: int, content: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        whole = bytearray(path.read_bytes())
        whole[place : place + len(content)] = content
        path.write_bytes(whole)

    return change


def _with_bias_of_keys(path: Path) -> None:
    whole = path.read_bytes()
    name = b"encoder/layer_0/self_attention/linear_0/bias\0"
    # After the name: rank, one dimension, type, number of bytes.
    place = whole.index(name) + len(name) + struct.calcsize("<BIBI") + 4 * WIDTH
    _put(place, struct.pack("<f", 1.0))(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_cut, "damaged or was not downloaded completely"),
        (_empty, "empty file"),
        (_put(0, struct.pack("<I", 5)), "expected version 6 .* got 5"),
        (_put(6, b"Something!"), "expected a WhisperSpec of revision 3, got Something!"),
        (_with_bias_of_keys, "encoder.layers.0.self_attn.k_proj.bias is not zero"),
    ],
)
def test_what_cannot_be_read_is_told(in_ctranslate2: Convert, change: Callable[[Path], None], message: str) -> None:
    made = in_ctranslate2("float32")
    change(made / "model.bin")
    with pytest.raises(ModelLoadError, match=message):
        load_arrays(made)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissingError, match=r"lacks model\.safetensors"):
        load_arrays(tmp_path)
