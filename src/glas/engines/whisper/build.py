"""Build a model for release: OpenAI's weights with a merged adapter, a smaller vocabulary, and int8 matrices.

The same base model, adapter and tokenizer always give the same bytes. The reason: the weights are merged and quantised
with elementwise operations only, and IEEE 754 defines how these operations round.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from glas.domain.errors import ModelLoadError
from glas.engines.folders import written_whole
from glas.engines.whisper.adapter import merge, read_adapter
from glas.engines.whisper.convert import Quantisation, write_model
from glas.engines.whisper.model import Model, read_model
from glas.engines.whisper.trimming import kept_rows
from glas.engines.whisper.vocabulary import END

# Matrices in int8, all else in float16, in which OpenAI published the weights.
_QUANTISATION: Quantisation = "int8_float16"
_EMBEDDINGS = ("decoder.embed_tokens.weight", "proj_out.weight")
# Settings that are lists of tokens.
_TOKEN_LISTS = ("suppress_ids", "suppress_ids_begin", "lang_ids")


def build_model(
    base: Path,
    target: Path,
    *,
    adapter: Path | None = None,
    share: float = 1.0,
    tokenizer: Tokenizer | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a CTranslate2 model with changed weights; the complete model replaces an older model in the same directory.

    Args:
        base: a checkpoint of Hugging Face or a CTranslate2 model with the whole vocabulary.
        target: directory of the new model.
        adapter: directory of the adapter that changes the weights; see `glas.engines.whisper.adapter`.
        share: the part of the adapter's changes that is applied, 0..1.
        tokenizer: tokenizer of the smaller vocabulary, made by `trimming.trim`; None keeps all tokens.
        settings: further entries of `config.json`, such as the silence that must follow a sound.

    Raises:
        ModelFileMissingError: a file is missing.
        ModelLoadError: a file is damaged, or the base model, adapter and tokenizer do not belong together.
    """
    model = read_model(base)
    if adapter is not None:
        model = replace(model, arrays=merge(model.arrays, read_adapter(adapter), share))
    if tokenizer is not None:
        model = with_vocabulary(model, tokenizer)
    model = replace(model, settings=model.settings | dict(settings or {}))
    with written_whole(target) as part:
        write_model(model, part, _QUANTISATION)


def with_vocabulary(model: Model, tokenizer: Tokenizer) -> Model:
    """Return the model with a smaller vocabulary.

    Args:
        model: the model with the whole vocabulary.
        tokenizer: a tokenizer that `trimming.trim` made from the model's tokenizer.

    Raises:
        ModelLoadError: the tokenizer has tokens that the model's tokenizer lacks, or lacks the token of a language.
    """
    rows = kept_rows(model.tokenizer, tokenizer, model.config["vocab_size"])
    ids = {old: new for new, old in enumerate(rows)}
    languages = model.settings.get("lang_ids", [])
    if lost := [old for old in (*languages, model.tokenizer.token_to_id(END)) if old not in ids]:
        raise ModelLoadError(f"The smaller vocabulary lacks special tokens: {len(lost)}, the first {lost[0]}.")
    arrays = {name: array[rows] if name in _EMBEDDINGS else array for name, array in model.arrays.items()}
    lists = {
        name: [ids[old] for old in model.settings[name] if old in ids]
        for name in _TOKEN_LISTS
        if name in model.settings
    }
    return Model(model.source, arrays, model.config | {"vocab_size": len(rows)}, tokenizer, model.settings | lists)
