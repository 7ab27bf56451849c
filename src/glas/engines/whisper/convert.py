"""Convert a Whisper checkpoint of Hugging Face to a CTranslate2 model with NumPy.

CTranslate2's own converter needs torch and transformers, which are not installed on servers. CTranslate2's converter
fills a `WhisperSpec` with arrays; this module fills a `WhisperSpec` with the arrays of the safetensors file. Then
CTranslate2's own code quantises the arrays and writes the file.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from glas.domain.errors import ModelLoadError
from glas.engines.safetensors import Array
from glas.engines.whisper.model import Model, read_model
from glas.engines.whisper.vocabulary import token_list

Quantisation = Literal["int8", "int8_float16", "float16", "float32"]
"""The number format in which weights are stored.

`int8` has one scale for each row of a matrix. `int8_float16` stores matrices like `int8`, and all other weights as
float16.
"""


def convert(source: Path, target: Path, quantisation: Quantisation) -> None:
    """Write the CTranslate2 model of a checkpoint.

    Args:
        source: directory of the checkpoint; see `glas.engines.whisper.checkpoint`.
        target: an empty directory.
        quantisation: number format in which the matrices are stored, such as int8.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: the checkpoint is not a Whisper, or its files are damaged or do not belong together.
    """
    write_model(read_model(source), target, quantisation)
    # Glas reads the number of bands from `config.json`. faster-whisper, which may use the same directory, needs this
    # file.
    if (source / "preprocessor_config.json").is_file():
        shutil.copyfile(source / "preprocessor_config.json", target / "preprocessor_config.json")


def write_model(model: Model, target: Path, quantisation: Quantisation) -> None:
    """Write a CTranslate2 model: `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json`.

    Args:
        model: the model, which is not changed.
        target: an empty directory.
        quantisation: number format in which the matrices are stored, such as int8.

    Raises:
        ModelLoadError: a weight is missing or has a wrong shape.
    """
    spec = _spec(model.config, _Weights(model))
    spec.register_vocabulary(token_list(model.tokenizer, model.config["vocab_size"]))
    for name, value in model.settings.items():
        spec.config.add_attribute(name, value)
    try:
        spec.validate()
    except ValueError as error:
        raise ModelLoadError(f"{model.source} does not contain a complete Whisper: {error}") from error
    spec.optimize(quantization=quantisation)
    spec.save(str(target))
    model.tokenizer.save(str(target / "tokenizer.json"), pretty=False)


class _Weights:
    """The weights of a model; `get` checks that a weight has the right shape."""

    def __init__(self, model: Model) -> None:
        self._source = model.source
        self._tensors = model.arrays

    def get(self, name: str, *shape: int) -> Array:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise ModelLoadError(f"{self._source}: its weights lack {name}; expected a whole Whisper checkpoint.")
        if tensor.shape != shape:
            raise ModelLoadError(f"{self._source}: expected shape {shape} for {name}, got {tensor.shape}.")
        # A copy: quantisation in CTranslate2 changes arrays in place.
        return np.array(tensor, np.float32)

    def joined(self, names: Iterable[str], *shape: int) -> Array:
        return np.concatenate([self.get(name, *shape) for name in names])

    def has(self, name: str) -> bool:
        return name in self._tensors


def _spec(config: dict[str, Any], weights: _Weights) -> Any:
    # The import takes a second, and only conversions need it.
    from ctranslate2.specs import WhisperSpec  # noqa: PLC0415

    width, mels = config["d_model"], config["num_mel_bins"]
    spec = WhisperSpec(
        config["encoder_layers"],
        config["encoder_attention_heads"],
        config["decoder_layers"],
        config["decoder_attention_heads"],
    )
    for number, bands in ((1, mels), (2, width)):
        convolution = getattr(spec.encoder, f"conv{number}")
        convolution.weight = weights.get(f"encoder.conv{number}.weight", width, bands, 3)
        convolution.bias = weights.get(f"encoder.conv{number}.bias", width)
    for part, positions in (("encoder", "max_source_positions"), ("decoder", "max_target_positions")):
        side = getattr(spec, part)
        side.position_encodings.encodings = weights.get(f"{part}.embed_positions.weight", config[positions], width)
        _normalise(side.layer_norm, weights, f"{part}.layer_norm", width)
        for index, layer in enumerate(side.layer):
            _layer(layer, weights, f"{part}.layers.{index}", width, config[f"{part}_ffn_dim"])
    spec.decoder.embeddings.weight = weights.get("decoder.embed_tokens.weight", config["vocab_size"], width)
    # The output layer is the embedding again, unless the checkpoint has one of its own.
    output = "proj_out.weight" if weights.has("proj_out.weight") else "decoder.embed_tokens.weight"
    spec.decoder.projection.weight = weights.get(output, config["vocab_size"], width)
    return spec


def _layer(layer: Any, weights: _Weights, name: str, width: int, inner: int) -> None:
    attention = layer.self_attention
    _normalise(attention.layer_norm, weights, f"{name}.self_attn_layer_norm", width)
    _project(attention.linear[0], weights, f"{name}.self_attn", "qkv", width)
    _project(attention.linear[1], weights, f"{name}.self_attn", "o", width)
    if hasattr(layer, "attention"):
        attention = layer.attention
        _normalise(attention.layer_norm, weights, f"{name}.encoder_attn_layer_norm", width)
        _project(attention.linear[0], weights, f"{name}.encoder_attn", "q", width)
        _project(attention.linear[1], weights, f"{name}.encoder_attn", "kv", width)
        _project(attention.linear[2], weights, f"{name}.encoder_attn", "o", width)
    _normalise(layer.ffn.layer_norm, weights, f"{name}.final_layer_norm", width)
    layer.ffn.linear_0.weight = weights.get(f"{name}.fc1.weight", inner, width)
    layer.ffn.linear_0.bias = weights.get(f"{name}.fc1.bias", inner)
    layer.ffn.linear_1.weight = weights.get(f"{name}.fc2.weight", width, inner)
    layer.ffn.linear_1.bias = weights.get(f"{name}.fc2.bias", width)


def _project(linear: Any, weights: _Weights, attention: str, which: str, width: int) -> None:
    """Fill a linear layer of CTranslate2 with projections of an attention layer of the checkpoint.

    Args:
        linear: the layer to fill. Its rows are the rows of all named projections, one projection after the other.
        weights: the weights of the checkpoint.
        attention: name of the attention layer in the checkpoint.
        which: a letter for each projection, in order: `q` queries, `k` keys, `v` values, `o` output. The checkpoint has
            no bias for keys, so their bias is 0.
        width: number of rows and of columns of each projection.
    """
    names = [f"{attention}.{'out' if letter == 'o' else letter}_proj" for letter in which]
    linear.weight = weights.joined((f"{name}.weight" for name in names), width, width)
    linear.bias = np.concatenate(
        [
            np.zeros(width, np.float32) if name.endswith("k_proj") else weights.get(f"{name}.bias", width)
            for name in names
        ]
    )


def _normalise(norm: Any, weights: _Weights, name: str, width: int) -> None:
    norm.gamma = weights.get(f"{name}.weight", width)
    norm.beta = weights.get(f"{name}.bias", width)
