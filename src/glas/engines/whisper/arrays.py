"""Read the weights of a Whisper model in any format as arrays with Hugging Face's names.

The names are those of transformers' `WhisperModel`, without the prefix `model.`: `encoder.conv1.weight`,
`decoder.embed_tokens.weight`, `decoder.layers.0.encoder_attn.q_proj.weight`. Matrices have the shape (outputs, inputs).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glas.domain.errors import ModelLoadError
from glas.engines.safetensors import Array
from glas.engines.whisper.binary import Binary, read_binary
from glas.engines.whisper.checkpoint import CONVERTED_WEIGHTS, read_configuration, read_weights

_EMBEDDING = "decoder/embeddings/weight"
_OUTPUT = "decoder/projection/weight"
_SCALE = "_scale"

# CTranslate2's names of attention blocks, with Hugging Face's name for each and the projections that CTranslate2 stores
# as one stacked matrix.
_ATTENTIONS = {"self_attention": ("self_attn", ("qkv", "o")), "attention": ("encoder_attn", ("q", "kv", "o"))}
_LETTERS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj"}
_KINDS = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}
_WHOLE = {
    "position_encodings/encodings": "embed_positions.weight",
    "embeddings/weight": "embed_tokens.weight",
    "layer_norm/gamma": "layer_norm.weight",
    "layer_norm/beta": "layer_norm.bias",
    **{f"conv{number}/{kind}": f"conv{number}.{kind}" for number in (1, 2) for kind in ("weight", "bias")},
}
_FEED_FORWARD = {"layer_norm": "final_layer_norm", "linear_0": "fc1", "linear_1": "fc2"}


class Quantised(NamedTuple):
    """A matrix of integers; the original matrix is `values / scale[row]`.

    Attributes:
        values: int8 or int16, with the shape of the matrix.
        scale: float32, one number for each row, `127 / max(abs(row))`.
    """

    values: Array
    scale: Array


def load_arrays(directory: Path) -> dict[str, Array]:
    """Read all weights of a model as float32.

    Args:
        directory: a checkpoint of Hugging Face (safetensors) or a CTranslate2 model, in any precision.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: a file is damaged, or does not belong to a Whisper model.
    """
    if (directory / CONVERTED_WEIGHTS).is_file():
        return binary_arrays(directory / CONVERTED_WEIGHTS)
    return {name: np.array(tensor, np.float32) for name, tensor in read_weights(directory).items()}


def binary_arrays(path: Path) -> dict[str, Array]:
    """Read all weights of CTranslate2's `model.bin` as float32; integers are divided by their scales.

    Raises:
        ModelFileMissingError, ModelLoadError: see `read_binary`.
    """
    return {name: as_float32(stored) for name, stored in stored_arrays(path).items()}


def stored_arrays(path: Path) -> dict[str, Array | Quantised]:
    """Read all weights of a `model.bin` in their stored number format; the arrays are mapped from the file.

    Raises:
        ModelFileMissingError, ModelLoadError: see `read_binary`.
    """
    arrays: dict[str, Array | Quantised] = {}
    for name, stored, scale in _matrices(read_binary(path)):
        for part, rows in _parts(path, name, len(stored)):
            if part.endswith("k_proj.bias"):
                _check_no_bias(path, part, stored[rows])
            elif scale is None:
                arrays[part] = stored[rows]
            else:
                per_row = np.array(np.broadcast_to(scale, len(stored))[rows], np.float32)
                arrays[part] = Quantised(stored[rows], per_row)
    return arrays


def as_float32(stored: Array | Quantised) -> Array:
    """Convert a stored array to float32."""
    if not isinstance(stored, Quantised):
        return np.array(stored, np.float32)
    scale = stored.scale.reshape(-1, *(1,) * (stored.values.ndim - 1))
    return (stored.values / scale).astype(np.float32, copy=False)


def load_configuration(directory: Path) -> dict[str, Any]:
    """Return the shape of a model with the keys of Hugging Face's `config.json` (`d_model`, `encoder_layers`, …).

    Args:
        directory: a checkpoint of Hugging Face or a CTranslate2 model. For a CTranslate2 model, the shape is derived
            from its weights, because its `config.json` does not contain the shape.

    Raises:
        ModelFileMissingError, ModelLoadError: see `load_arrays`.
    """
    if not (directory / CONVERTED_WEIGHTS).is_file():
        return read_configuration(directory)
    path = directory / CONVERTED_WEIGHTS
    variables = read_binary(path).variables
    try:
        return _configuration(variables)
    except KeyError as error:
        raise ModelLoadError(f"{path}: expected a whole Whisper; it lacks {error}.") from error


def _configuration(variables: dict[str, Array]) -> dict[str, Any]:
    found: dict[str, Any] = {"model_type": "whisper"}
    width, found["num_mel_bins"] = variables["encoder/conv1/weight"].shape[:2]
    found["vocab_size"] = len(variables[_EMBEDDING])
    found["d_model"] = width
    for part, side in (("encoder", "source"), ("decoder", "target")):
        layers = {name.split("/")[1] for name in variables if name.startswith(f"{part}/layer_")} - {"layer_norm"}
        found[f"{part}_layers"] = len(layers)
        found[f"{part}_attention_heads"] = int(variables[f"{part}/num_heads"])
        found[f"{part}_ffn_dim"] = len(variables[f"{part}/layer_0/ffn/linear_0/weight"])
        found[f"max_{side}_positions"] = len(variables[f"{part}/position_encodings/encodings"])
    return found


def _matrices(binary: Binary) -> Iterator[tuple[str, Array, Array | None]]:
    """Yield each array of the network: its name in CTranslate2, the stored array, and its scale if it has one."""
    names = {name: name for name in binary.variables} | binary.aliases
    if names.get(_OUTPUT) == _EMBEDDING:
        del names[_OUTPUT]
    for name, place in sorted(names.items()):
        stored = binary.variables[place]
        if stored.ndim and not name.endswith(_SCALE):
            yield name, stored, binary.variables.get(place + _SCALE)


def _parts(path: Path, name: str, rows: int) -> Iterable[tuple[str, slice]]:
    """Find out which arrays of Hugging Face an array of CTranslate2 consists of.

    An array of CTranslate2 can contain several arrays of Hugging Face, one below the other.

    Returns:
        For each array of Hugging Face, its name and its rows in the array of CTranslate2.
    """
    names = _names(name)
    if not names or rows % len(names):
        raise ModelLoadError(f"{path}: expected the arrays of a Whisper, got {name} with {rows} rows.")
    size = rows // len(names)
    return [(part, slice(index * size, (index + 1) * size)) for index, part in enumerate(names)]


def _names(name: str) -> list[str]:
    if name == _OUTPUT:
        return ["proj_out.weight"]
    part, _, rest = name.partition("/")
    if rest in _WHOLE:
        return [f"{part}.{_WHOLE[rest]}"]
    match = re.fullmatch(r"layer_(\d+)/(\w+)/(\w+)/(\w+)", rest)
    if match is None or match[4] not in _KINDS:
        return []
    return [f"{part}.layers.{match[1]}.{inner}.{_KINDS[match[4]]}" for inner in _inner_names(match[2], match[3])]


def _inner_names(block: str, inner: str) -> list[str]:
    if block == "ffn":
        return [_FEED_FORWARD[inner]] if inner in _FEED_FORWARD else []
    attention, stacks = _ATTENTIONS.get(block, ("", ()))
    if attention and inner == "layer_norm":
        return [f"{attention}_layer_norm"]
    linears = {f"linear_{index}": stack for index, stack in enumerate(stacks)}
    return [f"{attention}.{_LETTERS[one]}" for one in linears.get(inner, "")]


def _check_no_bias(path: Path, name: str, bias: Array) -> None:
    if bias.any():
        raise ModelLoadError(f"{path}: {name} is not zero; keys of a Whisper have no bias.")
