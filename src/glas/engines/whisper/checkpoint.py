"""Read a Whisper checkpoint in the format of Hugging Face transformers: its files and its configuration.

config.json                 shape of the network
model.safetensors           weights; or several files and model.safetensors.index.json
generation_config.json      tokens that are never generated, alignment heads (optional)
tokenizer.json              or vocab.json, merges.txt and added_tokens.json
README.md                   description of the model, the model card (optional)
"""

from pathlib import Path
from typing import Any

from glas.domain.errors import ModelFileMissingError, ModelLoadError
from glas.engines.json_file import read_json
from glas.engines.layouts import spread_over
from glas.engines.safetensors import Array, read_tensors

CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
CARD = "README.md"
TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json")
CONVERTED_WEIGHTS = "model.bin"

_SHAPE = (
    "d_model",
    "encoder_layers",
    "encoder_attention_heads",
    "decoder_layers",
    "decoder_attention_heads",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
    "num_mel_bins",
    "vocab_size",
    "max_source_positions",
    "max_target_positions",
)


def read_configuration(source: Path) -> dict[str, Any]:
    """Read the `config.json` of a checkpoint.

    Raises:
        ModelLoadError: the file does not belong to a Whisper, or does not contain the shape of the network.
    """
    config = read_json(source / CONFIG)
    if config.get("model_type") != "whisper":
        raise ModelLoadError(f'{source / CONFIG}: expected "model_type": "whisper", got {config.get("model_type")!r}.')
    for name in _SHAPE:
        if not isinstance(config.get(name), int) or config[name] < 1:
            raise ModelLoadError(f"{source / CONFIG}: expected a positive number for {name}, got {config.get(name)!r}.")
    if config.get("activation_function", "gelu") != "gelu" or config.get("scale_embedding"):
        raise ModelLoadError(f"{source / CONFIG}: expected Whisper's GELU and embeddings that are not scaled.")
    return config


def weight_files(directory: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint.

    Raises:
        ModelFileMissingError: one of these files is missing.
    """
    if (directory / WEIGHTS).is_file():
        return [directory / WEIGHTS]
    paths = [directory / name for name in spread_over(directory / WEIGHTS_INDEX)]
    lacking = [path.name for path in paths if not path.is_file()]
    if lacking or not paths:
        raise ModelFileMissingError(
            f"{directory} lacks {', '.join(lacking) or WEIGHTS}. Expected a Whisper checkpoint of Hugging Face "
            f"({CONFIG}, {WEIGHTS}, tokenizer.json) or of CTranslate2 ({CONFIG}, {CONVERTED_WEIGHTS}, tokenizer.json)"
            + ("; weights in pytorch_model.bin must be saved again as safetensors." if _has_pickle(directory) else ".")
        )
    return paths


def source_files(directory: Path) -> list[Path]:
    """Return the files of a checkpoint that are read when the checkpoint is converted for the runtime."""
    texts = (CONFIG, GENERATION_CONFIG, CARD, WEIGHTS_INDEX, "preprocessor_config.json", *TOKENIZER_FILES)
    return [*weight_files(directory), *(path for name in texts if (path := directory / name).is_file())]


def read_weights(directory: Path) -> dict[str, Array]:
    """Read all tensors by name; the prefix `model.`, which some checkpoints have, is removed.

    Raises:
        ModelFileMissingError, ModelLoadError: see `read_tensors`.
    """
    return {
        name.removeprefix("model."): tensor
        for path in weight_files(directory)
        for name, tensor in read_tensors(path).items()
    }


def _has_pickle(directory: Path) -> bool:
    return any(directory.glob("pytorch_model*.bin"))
