"""From a checkpoint to the folder that onnx-asr loads offline: int8 ONNX, vocabulary, configuration, checksums."""

import hashlib
import json
import tempfile
import warnings
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from glas.training.model import BLANK, SYMBOLS, Network, Shape
from glas.training.train import load_network

OPSET = 17
FILES = ("model.int8.onnx", "vocab.txt", "config.json")


class Recogniser(nn.Module):
    """The network without the output at mid depth, under the names that NeMo's exports use."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, audio_signal: Tensor, length: Tensor) -> Tensor:
        """Features (B, 80, T) and lengths (B,) to log-probabilities (B, T', 34)."""
        log_probs: Tensor = self.network(audio_signal, length)[0]
        return log_probs


def export_onnx(network: Network, path: Path) -> None:
    """Write the network in single precision."""
    example = (torch.zeros(2, network.shape.bands, 200), torch.tensor([200, 150]))
    axes = {"audio_signal": {0: "batch", 2: "frames"}, "length": {0: "batch"}, "logprobs": {0: "batch", 1: "symbols"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; the new one needs another package
        torch.onnx.export(
            Recogniser(network.eval()), example, str(path), input_names=["audio_signal", "length"], output_names=["logprobs"], dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip


def write_vocabulary(folder: Path, shape: Shape) -> None:
    """`vocab.txt` (symbol, index; ▁ is the space) and `config.json` as onnx-asr reads them."""
    lines = [f"{'▁' if symbol == ' ' else symbol} {index}" for index, symbol in enumerate(SYMBOLS)] + [f"<blk> {BLANK}"]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {"model_type": "nemo-conformer-ctc", "features_size": shape.bands, "subsampling_factor": shape.subsampling}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_checksums(folder: Path) -> None:
    """`SHA256SUMS` of the files that make the model, as `sha256sum -c` reads it."""
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def export(checkpoint: Path, folder: Path) -> None:
    """Write the model of a checkpoint into `folder`.  Only MatMul becomes int8: the few convolutions stay exact."""
    network, progress = load_network(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "model.onnx"
        export_onnx(network, exact)
        quantize_dynamic(
            exact,
            folder / "model.int8.onnx",
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    write_vocabulary(folder, network.shape)
    write_checksums(folder)
    size_mb = (folder / "model.int8.onnx").stat().st_size / 1e6
    print(f"{folder}: {size_mb:.1f} MB, from step {progress.step}, {progress.seen_s / 3600:.0f} h of speech seen")
