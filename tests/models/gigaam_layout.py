"""Tiny models in the layouts of GigaAM and NeMo that recognise tones: each letter is a tone of a certain height.

Their one layer reads the mel band in which a tone lies, so whoever computes features wrongly, transposes them,
mistakes lengths or decodes wrongly gets other letters, or none. The bands are computed here by formula, not asked of
the library.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE_HZ = 16_000
TONES_HZ = {"а": 500.0, "б": 1000.0, "в": 2000.0, " ": 4000.0}
VOCABULARY = ("▁", "а", "б", "в", "<blk>")
BLANK = VOCABULARY.index("<blk>")
SUBSAMPLING = 4
STATE_SIZE = 320  # onnx-asr makes GigaAM's decoder states of this size

Weights = npt.NDArray[np.float32]
Constants = dict[str, npt.NDArray[Any]]


def sing(text: str, *, letter_s: float = 0.2, pause_s: float = 0.1, loudness: float = 0.5) -> npt.NDArray[np.float32]:
    """Samples in which each letter is a tone, with silence before, between and behind."""
    silence = np.zeros(round(pause_s * RATE_HZ), np.float32)
    seconds = np.arange(round(letter_s * RATE_HZ)) / RATE_HZ
    # A tone that is switched on at once clicks, and a click is in all bands.
    swell = np.minimum(1, np.minimum(seconds, letter_s - seconds) / 0.02)
    tones = [loudness * swell * np.sin(2 * np.pi * TONES_HZ[letter] * seconds) for letter in text]
    return np.concatenate([silence, *(part for tone in tones for part in (tone, silence))]).astype(np.float32)


def band_of(frequency_hz: float, bands: int, *, slaney: bool) -> int:
    """Number of the triangular mel band, of `bands` between 0 and 8 kHz, whose centre is nearest to a frequency."""

    def mel(hz: float) -> float:
        if not slaney:
            return 2595 * float(np.log10(1 + hz / 700))
        # Slaney's scale is linear below 1 kHz and logarithmic above.
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * float(np.log(hz / 1000) / np.log(6.4))

    centres = np.linspace(0, mel(RATE_HZ / 2), bands + 2)[1:-1]
    return int(np.abs(centres - mel(frequency_hz)).argmin())


def gigaam_ctc(directory: Path, *, int8_says: Sequence[str] | None = None) -> Path:
    """GigaAM v3 with CTC: v3_ctc.onnx, v3_vocab.txt, config.json.

    Args:
        directory: is made.
        int8_says: letters that an additional v3_ctc.int8.onnx gives for the tones of а, б and в, to tell it apart.
    """
    _texts(directory, "v3_vocab.txt", {"model_type": "gigaam", "version": "v3", "features_size": 64})
    _save(directory / "v3_ctc.onnx", *_ctc(_letter_weights(64), -3.0, ("features", "feature_lengths", "log_probs")))
    if int8_says:
        order = [VOCABULARY.index(letter) for letter in ("▁", *int8_says, "<blk>")]
        weights = np.empty_like(_letter_weights(64))
        weights[:, order] = _letter_weights(64)
        _save(directory / "v3_ctc.int8.onnx", *_ctc(weights, -3.0, ("features", "feature_lengths", "log_probs")))
    return directory


def nemo_ctc(directory: Path) -> Path:
    """NeMo with CTC: model.onnx, vocab.txt, config.json."""
    config = {"model_type": "nemo-conformer-ctc", "features_size": 80, "subsampling_factor": 4}
    _texts(directory, "vocab.txt", config)
    # NeMo's features have mean 0 and deviation 1 in each band: a tone that sounds now and then stands out by 1 to 3.
    weights = 4 * _letter_weights(80, slaney=True)
    _save(directory / "model.onnx", *_ctc(weights, -2.0, ("audio_signal", "length", "logprobs")))
    return directory


def gigaam_rnnt(directory: Path) -> Path:
    """GigaAM v3 with RNN-T: encoder, decoder and joint network; the model never writes a letter twice in a row."""
    _texts(directory, "v3_vocab.txt", {"model_type": "gigaam", "version": "v3", "features_size": 64})
    nodes = [
        *_strided("audio_signal"),
        helper.make_node("Transpose", ["scores"], ["encoded"], perm=[0, 2, 1]),
        helper.make_node("Add", ["length", "three"], ["padded"]),
        helper.make_node("Div", ["padded", "four"], ["frames"]),
        helper.make_node("Cast", ["frames"], ["encoded_len"], to=TensorProto.INT32),
    ]
    constants = _layer(_letter_weights(64), -3.0) | {
        "three": np.array([SUBSAMPLING - 1], np.int64),
        "four": np.array([SUBSAMPLING], np.int64),
    }
    inputs = [_float("audio_signal", ["b", 64, "t"]), _long("length", ["b"])]
    outputs = [
        _float("encoded", ["b", len(VOCABULARY), "f"]),
        helper.make_tensor_value_info("encoded_len", TensorProto.INT32, ["b"]),
    ]
    _save(directory / "v3_rnnt_encoder.onnx", nodes, inputs, outputs, constants)
    _rnnt_decoder(directory / "v3_rnnt_decoder.onnx")
    joint = [
        helper.make_node("Sub", ["enc", "dec"], ["difference"]),
        helper.make_node("Transpose", ["difference"], ["joint"], perm=[0, 2, 1]),
    ]
    column = [1, len(VOCABULARY), 1]
    inputs, outputs = [_float("enc", column), _float("dec", column)], [_float("joint", [1, 1, len(VOCABULARY)])]
    _save(directory / "v3_rnnt_joint.onnx", joint, inputs, outputs, {})
    return directory


def _rnnt_decoder(path: Path) -> None:
    # What was said last is forbidden next; the blank, with which decoding begins, forbids nothing.
    forbids = np.float32(100) * np.eye(len(VOCABULARY), dtype=np.float32)
    forbids[BLANK] = 0
    state = [1, 1, STATE_SIZE]
    nodes = [
        helper.make_node("Gather", ["forbids", "x"], ["dec"], axis=0),
        helper.make_node("Identity", ["h.1"], ["h"]),
        helper.make_node("Identity", ["c.1"], ["c"]),
    ]
    inputs = [_long("x", [1, 1]), _float("h.1", state), _float("c.1", state)]
    outputs = [_float("dec", [1, 1, len(VOCABULARY)]), _float("h", state), _float("c", state)]
    _save(path, nodes, inputs, outputs, {"forbids": forbids})


def _letter_weights(bands: int, *, slaney: bool = False) -> Weights:
    weights = np.zeros((bands, len(VOCABULARY)), np.float32)
    for letter, frequency_hz in TONES_HZ.items():
        band = band_of(frequency_hz, bands, slaney=slaney)
        weights[band, VOCABULARY.index(letter.replace(" ", "▁"))] = 1
    return weights


def _ctc(
    weights: Weights, bias: float, names: tuple[str, str, str]
) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto], list[onnx.ValueInfoProto], Constants]:
    """A CTC network whose features, lengths and log-probabilities are called `names`."""
    features, lengths, output = names
    nodes = [*_strided(features), helper.make_node("LogSoftmax", ["scores"], [output], axis=-1)]
    inputs = [_float(features, ["b", weights.shape[0], "t"]), _long(lengths, ["b"])]
    outputs = [_float(output, ["b", "f", len(VOCABULARY)])]
    return nodes, inputs, outputs, _layer(weights, bias)


def _strided(features: str) -> list[onnx.NodeProto]:
    """Every fourth frame of features (b, bands, t), multiplied by the weights: `scores` (b, f, letters)."""
    return [
        helper.make_node("Transpose", [features], ["frames_first"], perm=[0, 2, 1]),
        helper.make_node("Slice", ["frames_first", "begin", "end", "axis", "stride"], ["kept"]),
        helper.make_node("MatMul", ["kept", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
    ]


def _layer(weights: Weights, letters_bias: float) -> Constants:
    bias = np.full(len(VOCABULARY), letters_bias, np.float32)
    bias[BLANK] = 0
    slicing = {"begin": 0, "end": 2**31, "axis": 1, "stride": SUBSAMPLING}
    return {"weights": weights, "bias": bias} | {name: np.array([at], np.int64) for name, at in slicing.items()}


def _float(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _long(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def _texts(directory: Path, vocabulary: str, config: dict[str, object]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = [f"{token} {index}\n" for index, token in enumerate(VOCABULARY)]
    (directory / vocabulary).write_text("".join(lines), encoding="utf-8")
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Constants,
) -> None:
    initialisers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tones", inputs, outputs, initialisers)
    # Opset 17 and IR 8 are understood by every onnxruntime since 2022.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
