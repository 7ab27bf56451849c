"""A tiny Whisper of random weights, saved as a checkpoint of Hugging Face: for tests of files and numbers."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from glas.engines.safetensors import Array, write_tensors
from glas.engines.whisper.vocabulary import END
from tests.models.tiny_tokens import SPECIALS, make_tokenizer, token_id

WIDTH, HEADS, LAYERS, INNER, BANDS = 32, 2, 2, 48, 80
POSITIONS, TEXT_CONTEXT = 300, 64
TIMES = POSITIONS + 1

TEXTS = ("мама мыла раму, а папа мыл окно", "мама спит, папа ест", "the windows open at noon", "Windows and the iPhone")


def save_random(directory: Path, *, seed: int = 0, prefix: str = "model.") -> Path:
    """Write a checkpoint whose numbers are all exact in float16, as those of OpenAI are."""
    tokenizer = make_tokenizer(TEXTS)
    size = tokenizer.get_vocab_size() + TIMES
    rng = np.random.default_rng(seed)
    tensors: dict[str, Array] = {
        prefix + name: rng.normal(0, 0.2, shape).astype(np.float16).astype(np.float32) for name, shape in _shapes(size)
    }
    directory.mkdir(parents=True)
    write_tensors(directory / "model.safetensors", tensors)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {
        "model_type": "whisper",
        "d_model": WIDTH,
        "num_mel_bins": BANDS,
        "vocab_size": size,
        "max_source_positions": POSITIONS,
        "max_target_positions": TEXT_CONTEXT,
    }
    for part in ("encoder", "decoder"):
        config |= {f"{part}_layers": LAYERS, f"{part}_attention_heads": HEADS, f"{part}_ffn_dim": INNER}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    never = [token_id(tokenizer, token) for token in SPECIALS if token != END]
    generation = {"suppress_tokens": [*_marks(tokenizer), *never], "begin_suppress_tokens": [0]}
    (directory / "generation_config.json").write_text(json.dumps(generation), encoding="utf-8")
    return directory


def _marks(tokenizer: Tokenizer) -> list[int]:
    return sorted(token_id(tokenizer, mark) for mark in "#(")


def _shapes(size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "decoder.embed_tokens.weight", (size, WIDTH)
    for number, bands in ((1, BANDS), (2, WIDTH)):
        yield f"encoder.conv{number}.weight", (WIDTH, bands, 3)
        yield f"encoder.conv{number}.bias", (WIDTH,)
    for part, positions in (("encoder", POSITIONS), ("decoder", TEXT_CONTEXT)):
        yield f"{part}.embed_positions.weight", (positions, WIDTH)
        yield from _linear(f"{part}.layer_norm", WIDTH)
        for layer in range(LAYERS):
            yield from _layer(f"{part}.layers.{layer}", ("self_attn", "encoder_attn")[: 1 + (part == "decoder")])


def _layer(name: str, attentions: tuple[str, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for attention in attentions:
        yield from _linear(f"{name}.{attention}_layer_norm", WIDTH)
        for projection in ("q_proj", "v_proj", "out_proj"):
            yield from _linear(f"{name}.{attention}.{projection}", WIDTH, WIDTH)
        yield f"{name}.{attention}.k_proj.weight", (WIDTH, WIDTH)
    yield from _linear(f"{name}.final_layer_norm", WIDTH)
    yield from _linear(f"{name}.fc1", INNER, WIDTH)
    yield from _linear(f"{name}.fc2", WIDTH, INNER)


def _linear(name: str, *shape: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]
