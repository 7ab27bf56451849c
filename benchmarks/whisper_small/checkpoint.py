"""A checkpoint with the size of whisper-small and random weights, which ends every text at a given length.

What is measured with it is the same work for every program: each writes the same tokens. The weights are drawn by
seed, and the decoder's embeddings of positions are large, so that the token of each step hangs on its position alone.
They carry the end token's direction with a minus before the chosen step and with a plus from there on, and the
direction of the tokens of times with a minus everywhere: who asks for times gets one at the beginning and no more.

`end_by_length` writes three tokens for each second that is heard, by hand-made weights, so that messages and recordings
of any length cost what they would. The encoder's embeddings of positions rise along one direction; the first layer of
the decoder attends to all positions alike and takes their mean, which is half the length, from a count along another
direction that rises by one with each token; the last layer turns the count, once it is above zero, into the end.
"""

import itertools
import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WIDTH, LAYERS, HEADS, INNER = 768, 12, 12, 3072
BANDS, SOURCE, TARGET = 80, 1500, 448
VOCABULARY, TEXT_TOKENS = 51_865, 50_257
N_LANGUAGES, N_TIMES = 99, 1501
PROMPT_TOKENS = 4
_STD = 0.01
_STRENGTH = 200.0
# Tokens far apart: a model that doubts its text is asked again by programs that look at probabilities.
_SURENESS = 30.0
_LOUDNESS = 5.0
_SPACE = "Ġ"  # as byte-level tokenizers write it
WEIGHTS = "model.safetensors"
_POSITIONS = "model.decoder.embed_positions.weight"
TOKENS_PER_S = 3
_POSITIONS_PER_S = 50
# Tokens of a full window: what a count of one stands for.
_MOST_TOKENS = TOKENS_PER_S * SOURCE // _POSITIONS_PER_S
# How far the encoder's positions rise over the window, against what all have in common. Little, so that the layer
# normalisation behind them leaves a straight line.
_RISE = 0.25
_STEEPNESS = 8.0


def make_checkpoint(directory: Path) -> Path:
    """Write all files but for the end of the texts, which `end_after` sets; about 1 GB."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    token_id = tokenizer.token_to_id
    specials = list(tokenizer.get_added_tokens_decoder().values())
    files: dict[str, dict[str, Any]] = {
        "config.json": _config(),
        "generation_config.json": {
            "alignment_heads": [[5, 3], [5, 9], [8, 0], [8, 4], [8, 7], [8, 8], [9, 0], [9, 7], [9, 9], [10, 5]],
            "begin_suppress_tokens": [220, TEXT_TOKENS],
            "bos_token_id": TEXT_TOKENS,
            "decoder_start_token_id": TEXT_TOKENS + 1,
            "eos_token_id": TEXT_TOKENS,
            "is_multilingual": True,
            "lang_to_id": {str(token): token_id(str(token)) for token in specials[2 : 2 + N_LANGUAGES]},
            "max_initial_timestamp_index": 50,
            "max_length": TARGET,
            "no_timestamps_token_id": token_id("<|notimestamps|>"),
            "pad_token_id": TEXT_TOKENS,
            "prev_sot_token_id": token_id("<|startofprev|>"),
            "suppress_tokens": [*range(TEXT_TOKENS + 1, VOCABULARY - N_TIMES)],
            "task_to_id": {task: token_id(f"<|{task}|>") for task in ("transcribe", "translate")},
        },
        "preprocessor_config.json": {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": BANDS,
            "sampling_rate": 16_000,
            "hop_length": 160,
            "chunk_length": 30,
            "n_fft": 400,
            "padding_value": 0.0,
            "n_samples": 480_000,
            "nb_max_frames": 3000,
            "return_attention_mask": False,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "WhisperTokenizer",
            "additional_special_tokens": [str(token) for token in specials],
            **dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), "<|endoftext|>"),
        },
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content), encoding="utf-8")
    _write(directory / WEIGHTS, _shapes())
    return directory


def end_after(directory: Path, n_tokens: int) -> npt.NDArray[np.float32]:
    """Make every text end after `n_tokens` tokens.

    Returns:
        The decoder's embeddings of positions, (448, 768), as they are in the file now.
    """
    end, *_ = _directions()
    is_end = np.arange(TARGET) >= PROMPT_TOKENS - 1 + n_tokens
    positions = np.asarray(_positions() + _STRENGTH * np.where(is_end, 1, -1)[:, None] * end, np.float32)
    _replace(directory / WEIGHTS, {_POSITIONS: positions})
    return positions


def end_by_length(directory: Path) -> None:
    """Let every text have `TOKENS_PER_S` tokens for each second that is heard, padding included, or one or two less."""
    end, _, base, rise, count = _directions()
    norm = np.sqrt(WIDTH)  # of what comes out of a layer normalisation
    layer, last = "model.decoder.layers.0.encoder_attn", f"model.decoder.layers.{LAYERS - 1}"
    shapes = _shapes()
    drawn = {
        name: _STD * np.random.default_rng(4).standard_normal(shapes[name], np.float32)
        for name in (f"{layer}.v_proj.weight", f"{layer}.out_proj.weight", f"{last}.fc1.weight", f"{last}.fc2.weight")
    }
    heard = _STRENGTH * (base + _RISE * np.arange(SOURCE)[:, None] / SOURCE * rise)
    counted = (np.arange(TARGET) - PROMPT_TOKENS + 1)[:, None] / _MOST_TOKENS * count
    drawn[f"{layer}.v_proj.weight"][0] = rise
    # The mean over a full window is half of the rise, and stands for a count of one.
    drawn[f"{layer}.out_proj.weight"][:, 0] = -_STRENGTH * count / (norm * _RISE / 2)
    drawn[f"{last}.fc1.weight"][0] = _STEEPNESS * count
    drawn[f"{last}.fc2.weight"][:, 0] = 2 * _STRENGTH * end
    flat = {f"{layer}.k_proj.weight": np.zeros((WIDTH, WIDTH), np.float32)}
    positions = {
        "model.encoder.embed_positions.weight": heard,
        _POSITIONS: _positions() + _STRENGTH * (counted - end),
    }
    _replace(directory / WEIGHTS, drawn | flat | positions)


def _replace(weights: Path, tensors: Mapping[str, npt.NDArray[np.float32]]) -> None:
    with weights.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        for name, tensor in tensors.items():
            (begin, _) = header[name]["data_offsets"]
            file.seek(8 + length + begin)
            file.write(tensor.astype(np.float32).tobytes())


def _positions() -> npt.NDArray[np.float32]:
    """The decoder's embeddings of positions without what ends a text, (448, 768)."""
    positions = np.random.default_rng(3).standard_normal((TARGET, WIDTH)).astype(np.float32)
    positions /= np.linalg.norm(positions, axis=1, keepdims=True)
    _, times, *_ = _directions()
    return np.asarray(_STRENGTH * (positions - times), np.float32)


def _directions() -> npt.NDArray[np.float32]:
    """Directions at right angles to each other, (5, 768), each of length one.

    Of the end token, of the tokens of times, of what the encoder's positions share, of their rise, of the count.
    """
    drawn = np.random.default_rng(1).standard_normal((5, WIDTH))
    drawn -= drawn.mean(axis=1, keepdims=True)  # layer normalisation would take it off
    return np.asarray(np.linalg.qr(drawn.T)[0].T, np.float32)


def _tokenizer() -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # Letters of one byte: what is no text when it is cut looks like a loop.
    plain = string.ascii_lowercase + string.ascii_uppercase
    threes = itertools.product(plain, repeat=3)
    words = [*letters, *(f"{_SPACE}{''.join(next(threes))}" for _ in range(TEXT_TOKENS - len(letters)))]
    # Mixed, so that the tokens of one text do not look like each other.
    mixed = [words[index] for index in np.random.default_rng(2).permutation(TEXT_TOKENS)]
    mixed[-1] = ""  # by which CTranslate2 knows a multilingual Whisper
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(mixed)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = ["en", "ru", *(f"x{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(N_LANGUAGES - 2))]
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nocaptions", "notimestamps")
    specials = ("endoftext", "startoftranscript", *languages, *tasks)
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True, normalized=False) for name in specials])
    return tokenizer


def _config() -> dict[str, Any]:
    config: dict[str, Any] = {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "activation_function": "gelu",
        "d_model": WIDTH,
        "num_mel_bins": BANDS,
        "vocab_size": VOCABULARY,
        "max_source_positions": SOURCE,
        "max_target_positions": TARGET,
        "decoder_start_token_id": TEXT_TOKENS + 1,
        "tie_word_embeddings": True,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), TEXT_TOKENS),
    }
    for part in ("encoder", "decoder"):
        config |= {f"{part}_layers": LAYERS, f"{part}_attention_heads": HEADS, f"{part}_ffn_dim": INNER}
    return config


def _shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors, in Hugging Face's words."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.encoder.conv1.weight": (WIDTH, BANDS, 3),
        "model.encoder.conv1.bias": (WIDTH,),
        "model.encoder.conv2.weight": (WIDTH, WIDTH, 3),
        "model.encoder.conv2.bias": (WIDTH,),
        "model.encoder.embed_positions.weight": (SOURCE, WIDTH),
        _POSITIONS: (TARGET, WIDTH),
        "model.decoder.embed_tokens.weight": (VOCABULARY, WIDTH),
    }
    for part in ("encoder", "decoder"):
        norms = [f"model.{part}.layer_norm"]
        for index in range(LAYERS):
            layer = f"model.{part}.layers.{index}"
            for attention in ("self_attn", *(("encoder_attn",) if part == "decoder" else ())):
                norms.append(f"{layer}.{attention}_layer_norm")
                for name in "qkv":
                    shapes[f"{layer}.{attention}.{name}_proj.weight"] = (WIDTH, WIDTH)
                shapes[f"{layer}.{attention}.out_proj.weight"] = (WIDTH, WIDTH)
                for name in ("q_proj", "v_proj", "out_proj"):
                    shapes[f"{layer}.{attention}.{name}.bias"] = (WIDTH,)
            norms.append(f"{layer}.final_layer_norm")
            shapes |= {f"{layer}.fc1.weight": (INNER, WIDTH), f"{layer}.fc1.bias": (INNER,)}
            shapes |= {f"{layer}.fc2.weight": (WIDTH, INNER), f"{layer}.fc2.bias": (WIDTH,)}
        shapes |= {f"{norm}.{name}": (WIDTH,) for norm in norms for name in ("weight", "bias")}
    return shapes


def _write(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, shape in shapes.items():
        n_bytes = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [place, place + n_bytes]}
        place += n_bytes
    text = json.dumps(header).encode()
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in shapes.items():
            tensor = _STD * rng.standard_normal(shape, np.float32)
            if name.endswith("layer_norm.weight"):
                tensor = np.ones(shape, np.float32)
            if name.endswith("embed_tokens.weight"):
                end, times, *_ = _directions()
                tensor *= _SURENESS
                tensor[TEXT_TOKENS] = _LOUDNESS * end
                tensor[VOCABULARY - N_TIMES :] += _LOUDNESS * times
            file.write(tensor.tobytes())
