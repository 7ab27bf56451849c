"""A tiny Whisper that really hears: chords are words, in Russian or in English, as it is told.

It is trained here within a minute, on a processor, and saved as Hugging Face transformers saves a Whisper. The network
below has the names of that format; it is written for this purpose, for transformers would be a gigabyte for one test.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional

from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.engines.whisper.mel import filled, log_mel
from glas.engines.whisper.vocabulary import END, NO_TIMESTAMPS, PREVIOUS, START, TRANSCRIBE, TRANSLATE

WORDS = {
    "ru": ("мама", "ёжик", "хлеб", "объезд", "двадцать", "чай"),
    "en": ("mother", "hedgehog", "bread", "detour", "twenty", "tea"),
}
CHORDS_HZ = ((300, 1200), (400, 1600), (500, 2100), (600, 2700), (350, 3300), (750, 1900))
MOST_WORDS = 4

WORD_S = 0.3
GAP_S = 0.2
POSITIONS = 300  # 6 s: a window of 30 s would only make training slow
TEXT_CONTEXT = 64
BANDS = 80
WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 192

STEPS = 400
BATCH = 16
PEAK_RATE = 3e-3
NO_TARGET = -100
NO_SPEECH = "<|nospeech|>"
SPECIALS = (END, START, "<|en|>", "<|ru|>", TRANSLATE, TRANSCRIBE, "<|startoflm|>", PREVIOUS, NO_SPEECH, NO_TIMESTAMPS)


class Spoken(NamedTuple):
    """Sound, what it says by number of word, and when each word begins and ends, in seconds."""

    samples: Samples
    said: tuple[int, ...]
    times_s: tuple[tuple[float, float], ...]

    def text(self, language: str) -> str:
        return " ".join(WORDS[language][number] for number in self.said)


def speak(said: npt.ArrayLike, rng: np.random.Generator) -> Spoken:
    """Say words, by number, with pauses of random length, over faint noise."""
    sound: list[Samples] = []
    times = []
    place = 0
    numbers = [int(number) for number in np.asarray(said)]
    for number in numbers:
        gap = round(GAP_S * rng.uniform(0.6, 1.6) * SAMPLE_RATE_HZ)
        length = round(WORD_S * rng.uniform(0.85, 1.2) * SAMPLE_RATE_HZ)
        t = np.arange(length) / SAMPLE_RATE_HZ
        chord = sum(np.sin(2 * math.pi * hz * t + rng.uniform(0, 6)) for hz in CHORDS_HZ[number])
        envelope = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
        sound += [np.zeros(gap, np.float32), (0.12 * rng.uniform(0.7, 1.3) * chord * envelope).astype(np.float32)]
        times.append(((place + gap) / SAMPLE_RATE_HZ, (place + gap + length) / SAMPLE_RATE_HZ))
        place += gap + length
    sound.append(
        np.zeros(round(GAP_S * rng.uniform(0.6, 1.6) * SAMPLE_RATE_HZ) + (0 if numbers else 16_000), np.float32)
    )
    samples = np.concatenate(sound)
    samples += 0.002 * rng.standard_normal(len(samples)).astype(np.float32)
    return Spoken(samples, tuple(numbers), tuple(times))


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token."""
    found = tokenizer.token_to_id(token)
    assert found is not None
    return int(found)


def make_tokenizer() -> Tokenizer:
    """Byte-level BPE over the words of both languages, then Whisper's special tokens, without those of times."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator([f" {word}" for words in WORDS.values() for word in words], trainer)
    # The empty token, by which CTranslate2 knows a multilingual Whisper.
    saved = json.loads(tokenizer.to_str())
    saved["model"]["vocab"][""] = len(saved["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    return tokenizer


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
    """A layer of the encoder, or of the decoder, which `hears` what the encoder made."""

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
    """Both; `size` is that of the vocabulary with the tokens of times."""

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


def train(*, seed: int = 0) -> tuple[Whisper, Tokenizer]:
    """Train on random sentences in both languages, cut close or filled up to the window, and on noise without words."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tokenizer = make_tokenizer()
    network = Whisper(tokenizer.get_vocab_size() + POSITIONS + 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=STEPS, pct_start=0.1)
    for step in range(STEPS):
        features, tokens, targets = _batch(rng, tokenizer, fills_window=step % 6 == 0)
        logits = network(features, tokens)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network.eval(), tokenizer


def _batch(rng: np.random.Generator, tokenizer: Tokenizer, *, fills_window: bool) -> tuple[Any, Any, Any]:
    """Features (B, bands, frames), tokens (B, T) and what is to follow each of them (B, T)."""
    sounds, rows, followers = [], [], []
    n_words = int(rng.integers(1, MOST_WORDS + 1))
    for index in range(BATCH):
        language = str(rng.choice(sorted(WORDS)))
        said = rng.integers(0, len(CHORDS_HZ), 0 if index == 0 else int(rng.integers(max(1, n_words - 1), n_words + 1)))
        spoken = speak(said, rng)
        task = [token_id(tokenizer, token) for token in (START, f"<|{language}|>", TRANSCRIBE, NO_TIMESTAMPS)]
        words = tokenizer.encode(f" {spoken.text(language)}", add_special_tokens=False).ids if len(said) else []
        sounds.append(log_mel(spoken.samples, BANDS))
        rows.append([*task, *words])
        # After the start Whisper says which language it hears, or that nobody speaks. The task is given, not guessed.
        heard = task[1] if len(said) else token_id(tokenizer, NO_SPEECH)
        followers.append([heard, NO_TARGET, NO_TARGET, *words, token_id(tokenizer, END)])
    longest = max(features.shape[1] for features, _ in sounds)
    n_frames = 2 * POSITIONS if fills_window else max(200, (longest + int(rng.integers(0, 60))) // 2 * 2)
    features = torch.from_numpy(np.stack([filled(one, silence, n_frames) for one, silence in sounds]))
    return features, _padded(rows, token_id(tokenizer, END)), _padded(followers, NO_TARGET)


def _padded(rows: list[list[int]], value: int) -> Any:
    width = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def save(directory: Path, network: Whisper, tokenizer: Tokenizer, *, dynamic_context: bool = False) -> Path:
    """Save as transformers does; the card says whether the model hears without padding."""
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
    head = "---\nlicense: mit\ndynamic_context: true\n---\n" if dynamic_context else ""
    (directory / "README.md").write_text(f"{head}# Chords\n", encoding="utf-8")
    tokenizer.save(str(directory / "tokenizer.json"))
    tensors = {f"model.{name}": tensor.numpy() for name, tensor in network.state_dict().items()}
    save_tensors(directory / "model.safetensors", tensors)
    return directory


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
