"""A checkpoint of true whisper-small size with random weights, which ends every text where it is told.

What is measured with it is the same work for every program: each writes the same tokens. The weights are drawn by
seed, and the decoder's embeddings of positions are large, so that the token of each step hangs on its position alone.
They carry the end token's direction with a minus before the chosen step and with a plus from there on, and the
direction of the tokens of times with a minus everywhere: who asks for times gets one at the beginning and no more.
"""

import json
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
_POSITIONS = "model.decoder.embed_positions.weight"


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
    _write(directory / "model.safetensors", _shapes())
    return directory


def end_after(directory: Path, n_tokens: int) -> npt.NDArray[np.float32]:
    """Let every text have `n_tokens` tokens.

    Returns:
        The decoder's embeddings of positions, (448, 768), as they are in the file now.
    """
    rng = np.random.default_rng(3)
    end, times = _directions()
    positions = rng.standard_normal((TARGET, WIDTH)).astype(np.float32)
    positions /= np.linalg.norm(positions, axis=1, keepdims=True)
    is_end = np.arange(TARGET) >= PROMPT_TOKENS - 1 + n_tokens
    positions = _STRENGTH * (positions - times + np.where(is_end, 1, -1)[:, None] * end).astype(np.float32)
    with (directory / "model.safetensors").open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        (begin, _) = json.loads(file.read(length))[_POSITIONS]["data_offsets"]
        file.seek(8 + length + begin)
        file.write(positions.tobytes())
    return positions


def _directions() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Of the end token and of the tokens of times, (768,) each and of length one."""
    drawn = np.random.default_rng(1).standard_normal((2, WIDTH))
    drawn -= drawn.mean(axis=1, keepdims=True)  # layer normalisation would take it off
    end, times = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return end, times


def _tokenizer() -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = (a + b + c for a in letters for b in letters for c in letters)
    words = [*letters, *(next(pairs) for _ in range(TEXT_TOKENS - len(letters)))]
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
                end, times = _directions()
                tensor *= _SURENESS
                tensor[TEXT_TOKENS] = _LOUDNESS * end
                tensor[VOCABULARY - N_TIMES :] += _LOUDNESS * times
            file.write(tensor.tobytes())
