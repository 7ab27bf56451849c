"""Read a Whisper model in any format into memory: weights, shape, tokens and configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from glas.engines.json_file import read_json
from glas.engines.safetensors import Array
from glas.engines.whisper.arrays import load_arrays, load_configuration
from glas.engines.whisper.checkpoint import (
    CONFIG,
    CONVERTED_WEIGHTS,
    GENERATION_CONFIG,
)
from glas.engines.whisper.context import CONTEXT_MARGIN, stated_rule
from glas.engines.whisper.vocabulary import EMPTY, language_ids, load_tokenizer, token_list

# Heads of cross-attention that follow the sound, by decoder layers and width, for checkpoints that do not name theirs:
# openai/whisper, whisper/__init__.py, `_ALIGNMENT_HEADS` of the multilingual models.
_ALIGNMENT_HEADS: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {
    (4, 384): ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)),
    (6, 512): ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)),
    (12, 768): ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
    (24, 1024): ((13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)),
}


@dataclass(frozen=True, slots=True)
class Model:
    """A Whisper model in memory.

    Attributes:
        source: the model's directory, which is named in error messages.
        arrays: the weights; see `glas.engines.whisper.arrays`.
        config: the shape of the network, with the keys of Hugging Face's `config.json`.
        tokenizer: the tokenizer of the model.
        settings: contents of CTranslate2's `config.json`: tokens that are never generated, alignment heads, …
    """

    source: Path
    arrays: dict[str, Array]
    config: dict[str, Any]
    tokenizer: Tokenizer
    settings: dict[str, Any]


def read_model(directory: Path) -> Model:
    """Read a Whisper model.

    Args:
        directory: a checkpoint of Hugging Face (safetensors) or a CTranslate2 model.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: the checkpoint is not a Whisper, or its files are damaged or do not belong together.
    """
    config = load_configuration(directory)
    arrays = load_arrays(directory)
    tokenizer = load_tokenizer(directory)
    tokens = token_list(tokenizer, config["vocab_size"])
    if (directory / CONVERTED_WEIGHTS).is_file():
        settings = read_json(directory / CONFIG)
    else:
        settings = _settings(directory, config, tokens)
    return Model(directory, arrays, config, tokenizer, settings)


def _settings(source: Path, config: dict[str, Any], tokens: Sequence[str]) -> dict[str, Any]:
    """Return the contents of CTranslate2's `config.json`, with some entries that only Glas reads."""
    generation = read_json(source / GENERATION_CONFIG)
    layers, heads = config["decoder_layers"], config["decoder_attention_heads"]
    by_size = _ALIGNMENT_HEADS.get((layers, config["d_model"])) if EMPTY in tokens else None
    # If the heads are not known, CTranslate2 and openai/whisper use all heads of the last half of the layers.
    alignment = generation.get("alignment_heads") or by_size or product(range(layers // 2, layers), range(heads))
    return {
        "suppress_ids": generation.get("suppress_tokens", config.get("suppress_tokens")) or [],
        "suppress_ids_begin": generation.get("begin_suppress_tokens", config.get("begin_suppress_tokens")) or [],
        "lang_ids": list(language_ids(tokens)),
        "alignment_heads": [list(pair) for pair in alignment],
        **({CONTEXT_MARGIN: stated.margin_s} if (stated := stated_rule(source)) else {}),
        "max_source_positions": config["max_source_positions"],
        "max_target_positions": config["max_target_positions"],
    }
