"""From a checkpoint to the folder that onnx-asr loads offline: int8 ONNX, vocabulary, configuration, checksums."""

import hashlib
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from glas.training.network.model import BLANK, SYMBOLS, Network, Shape
from glas.training.network.train import load_network
from glas.training.network.vocal_tract import SpeakerNormalised
from glas.training.voices.voxforge import BandMap

OPSET = 17
FILES = ("model.int8.onnx", "vocab.txt", "config.json", "lm.npz", "calibration.json")


def export_onnx(network: Network, path: Path) -> None:
    """Write the network in single precision, with the choice of a vocal tract before it."""
    example = (torch.zeros(2, network.shape.bands, 200), torch.tensor([200, 150]))
    axes = {"audio_signal": {0: "batch", 2: "frames"}, "length": {0: "batch"}, "logprobs": {0: "batch", 1: "symbols"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; the new one needs another package
        torch.onnx.export(
            SpeakerNormalised(network).eval(),
            example,
            str(path),
            input_names=["audio_signal", "length"],
            output_names=["logprobs"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def write_vocabulary(folder: Path, shape: Shape) -> None:
    """`vocab.txt` (symbol, index; ▁ is the space) and `config.json` as onnx-asr reads them."""
    lines = [f"{'▁' if symbol == ' ' else symbol} {index}" for index, symbol in enumerate(SYMBOLS)] + [f"<blk> {BLANK}"]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {"model_type": "nemo-conformer-ctc", "features_size": shape.bands, "subsampling_factor": shape.subsampling}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def write_checksums(folder: Path) -> None:
    """`SHA256SUMS` of the files that make the model, as `sha256sum -c` reads it."""
    there = [name for name in FILES if (folder / name).exists()]
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in there]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def fold_narrowing(network: Network, narrow: npt.NDArray[np.float32], share: float) -> None:
    """Let the network see its features part of the way towards what the 15-band map makes of them, at no cost.

    Real speech was learnt through that map, so real speech seen that way is understood a little better.  The way there
    is linear, and so is the first convolution: one matrix in its weights does both.
    """
    matrix = torch.eye(network.shape.bands) * (1 - share) + torch.from_numpy(narrow) * share
    with torch.no_grad():
        network.stem_1.weight.copy_(torch.einsum("ij,ojk->oik", matrix, network.stem_1.weight))


def export(checkpoint: Path, folder: Path, band_map: Path, narrowing: float) -> None:
    """Write the model of a checkpoint into `folder`.  Only MatMul becomes int8: the few convolutions stay exact."""
    network, progress = load_network(checkpoint)
    if narrowing:
        fold_narrowing(network, BandMap.load(band_map).narrow, narrowing)
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
    # It was fitted to the weights that were here before, and the engine would refuse it.
    (folder / "calibration.json").unlink(missing_ok=True)
    write_checksums(folder)
    size_mb = (folder / "model.int8.onnx").stat().st_size / 1e6
    print(f"{folder}: {size_mb:.1f} MB, from step {progress.step}, {progress.seen_s / 3600:.0f} h of speech seen")
