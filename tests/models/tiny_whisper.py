"""A tiny Whisper that really recognises the sounds on which it was trained.

It is trained within a minute, on a processor (see `trained.py`), and saved as Hugging Face transformers saves a
Whisper. The network below has the names of that format; it is written for this purpose, for transformers would be a
gigabyte for one test.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from glas.domain.transcription import Samples
from glas.engines.whisper.mel import filled, log_mel
from glas.engines.whisper.vocabulary import END, NO_TIMESTAMPS, START, TRANSCRIBE
from tests.models.tiny_tokens import NO_SPEECH, SPECIALS, token_id

POSITIONS = 300  # 6 s: a window of 30 s would only make training slow
TEXT_CONTEXT = 64
BANDS = 80
WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 192

PEAK_RATE = 3e-3
NO_TARGET = -100


class Example(NamedTuple):
    """A sound, its text (empty if nobody speaks), and its language."""

    samples: Samples
    text: str
    language: str


Draw = Callable[[int, np.random.Generator], tuple[list[Example], int]]
"""Gives, for each step of a training, its examples and the mel frames that they are filled up to."""


class Attention(nn.Module):
    """Queries from `x`, keys and values from `memory`; keys have no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.k_proj = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Any, memory: Any, *, is_causal: bool = False) -> Any:
        q, k, v = (
            projected.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for projected in (self.q_proj(x), self.k_proj(memory), self.v_proj(memory))
        )
        heard = functional.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        return self.out_proj(heard.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """A layer of the encoder, or of the decoder, which attends to the encoder's output if `hears` is set."""

    def __init__(self, *, hears: bool) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        if hears:
            self.encoder_attn, self.encoder_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        self.fc1, self.fc2, self.final_layer_norm = (
            nn.Linear(WIDTH, INNER),
            nn.Linear(INNER, WIDTH),
            nn.LayerNorm(WIDTH),
        )

    def forward(self, x: Any, memory: Any = None) -> Any:
        y = self.self_attn_layer_norm(x)
        x = x + self.self_attn(y, y, is_causal=memory is not None)
        if memory is not None:
            x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), memory)
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class Encoder(nn.Module):
    """From features (B, bands, 2 positions) to (B, positions, width)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(BANDS, WIDTH, 3, padding=1), nn.Conv1d(WIDTH, WIDTH, 3, 2, padding=1)
        self.embed_positions = nn.Embedding.from_pretrained(_sinusoids(POSITIONS, WIDTH))
        self.layers = nn.ModuleList(Layer(hears=False) for _ in range(LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, features: Any) -> Any:
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(features)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.layer_norm(x)


class Decoder(nn.Module):
    """From tokens (B, T) to logits (B, T, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed_tokens, self.embed_positions = nn.Embedding(size, WIDTH), nn.Embedding(TEXT_CONTEXT, WIDTH)
        nn.init.normal_(self.embed_tokens.weight, std=0.1)
        nn.init.normal_(self.embed_positions.weight, std=0.1)
        self.layers = nn.ModuleList(Layer(hears=True) for _ in range(LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, tokens: Any, memory: Any) -> Any:
        x = self.embed_tokens(tokens) + self.embed_positions.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, memory)
        return self.layer_norm(x) @ self.embed_tokens.weight.T


class Whisper(nn.Module):
    """Encoder and decoder; `size` is the size of the vocabulary with the tokens of times."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder(size)

    def forward(self, features: Any, tokens: Any) -> Any:
        return self.decoder(tokens, self.encoder(features))


def _sinusoids(length: int, width: int) -> Any:
    """The encoder's positions, openai/whisper `model.py`."""
    step = math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def fit(tokenizer: Tokenizer, draw: Draw, *, steps: int, seed: int = 0) -> Whisper:
    """Train a network of random weights on the examples that `draw` returns."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Whisper(tokenizer.get_vocab_size() + POSITIONS + 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        features, tokens, targets = _batch(tokenizer, *draw(step, rng))
        logits = network(features, tokens)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    network.eval()
    return network


def _batch(tokenizer: Tokenizer, examples: list[Example], n_frames: int) -> tuple[Any, Any, Any]:
    """Features (B, bands, frames), tokens (B, T) and what is to follow each of them (B, T)."""
    sounds, rows, followers = [], [], []
    for samples, text, language in examples:
        task = [token_id(tokenizer, token) for token in (START, f"<|{language}|>", TRANSCRIBE, NO_TIMESTAMPS)]
        words = tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
        features, silence = log_mel(samples, BANDS)
        sounds.append(filled(features, silence, n_frames))
        rows.append([*task, *words])
        # After the start Whisper says which language it hears, or that nobody speaks. The task is given, not guessed.
        heard = task[1] if text else token_id(tokenizer, NO_SPEECH)
        followers.append([heard, NO_TARGET, NO_TARGET, *words, token_id(tokenizer, END)])
    features = torch.from_numpy(np.stack(sounds))
    return features, _padded(rows, token_id(tokenizer, END)), _padded(followers, NO_TARGET)


def _padded(rows: list[list[int]], value: int) -> Any:
    width = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def save(directory: Path, tensors: Mapping[str, npt.NDArray[Any]], tokenizer: Tokenizer) -> Path:
    """Save a network's tensors as transformers does."""
    directory.mkdir(parents=True)
    config = {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "d_model": WIDTH,
        "num_mel_bins": BANDS,
        "vocab_size": tokenizer.get_vocab_size() + POSITIONS + 1,
        "max_source_positions": POSITIONS,
        "max_target_positions": TEXT_CONTEXT,
        "activation_function": "gelu",
    }
    for part in ("encoder", "decoder"):
        config |= {f"{part}_layers": LAYERS, f"{part}_attention_heads": HEADS, f"{part}_ffn_dim": INNER}
    generation = {
        "lang_to_id": {token: token_id(tokenizer, token) for token in ("<|en|>", "<|ru|>")},
        "suppress_tokens": [token_id(tokenizer, token) for token in SPECIALS if token != END],
        "begin_suppress_tokens": None,
    }
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (directory / "generation_config.json").write_text(json.dumps(generation), encoding="utf-8")
    write_card(directory, dynamic_context=False)
    tokenizer.save(str(directory / "tokenizer.json"))
    save_tensors(directory / "model.safetensors", {f"model.{name}": tensor for name, tensor in tensors.items()})
    return directory


def write_card(directory: Path, *, dynamic_context: bool) -> None:
    """Write the card, which states whether the model works without padding."""
    head = "---\nlicense: mit\ndynamic_context: true\n---\n" if dynamic_context else ""
    (directory / "README.md").write_text(f"{head}# Chords\n", encoding="utf-8")


def save_tensors(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """A safetensors file; two bytes of whole numbers stand for bfloat16."""
    names = {"float32": "F32", "float16": "F16", "uint16": "BF16"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": names[tensor.dtype.name],
            "shape": tensor.shape,
            "data_offsets": [place, place + tensor.nbytes],
        }
        place += tensor.nbytes
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())
