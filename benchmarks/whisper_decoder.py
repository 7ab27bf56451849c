"""Compare Whisper in onnxruntime and CTranslate2, both int8, on one thread: processor time to encode and generate.

Both are measured in turns in one run, so that their ratio means something on a busy machine too. A sound is noise fed
at its own length, a text has three tokens a second; with a directory, the weights are those of a real model (its texts
may then differ in length: the time of a token counts).

    python benchmarks/whisper_decoder.py [--model DIRECTORY] [seconds of a sound ...]

Without `--model`, the weights are random ones of whisper-small's size (`whisper_small/checkpoint.py`, 1 GB on disk).
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Set before any of them is loaded. One thread each: threads that wait for each other hide what work costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.whisper_small.checkpoint import TOKENS_PER_S, end_after, make_checkpoint
from glas.domain.decoding import PLAIN
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.whisper.cache import converted
from glas.engines.whisper.mel import FRAMES_PER_S, Features, filled, log_mel
from glas.engines.whisper.network import Network
from glas.engines.whisper.onnx_network import OnnxNetwork

LENGTHS_S = (4.0, 8.0, 15.0, 30.0)
ROUNDS = 4
BEAMS = (1, 5)


def sound(length_s: float, n_mels: int) -> Features:
    """Return the spectrogram of noise, without padding."""
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(length_s * SAMPLE_RATE_HZ)).astype(np.float32)
    return filled(*log_mel(samples, n_mels), round(length_s * FRAMES_PER_S))


def measure(networks: dict[str, Any], length_s: float) -> dict[tuple[str, str], float]:
    """Least processor milliseconds of each step of each network, over `ROUNDS` rounds; of a token for beams."""
    least: dict[tuple[str, str], float] = defaultdict(lambda: float("inf"))
    for _ in range(ROUNDS):
        for name, network in networks.items():
            for step, spent in _one_round(network, length_s):
                least[name, step] = min(least[name, step], spent)
    return least


def _one_round(network: Any, length_s: float) -> Iterator[tuple[str, float]]:
    features, vocabulary = sound(length_s, network.n_mels), network.vocabulary
    prompt = vocabulary.prompt(vocabulary.task("ru", "transcribe"), PLAIN)
    began = time.process_time()
    encoded = network.encode([features])
    yield "encode", 1000 * (time.process_time() - began)
    options = {"most_tokens": 2 * round(TOKENS_PER_S * length_s), "temperature": 0, "with_times": False}
    for beam_size in BEAMS:
        began = time.process_time()
        (drafts,) = network.generate(encoded, [prompt], beam_size=beam_size, **options)
        yield f"token, beam {beam_size}", 1000 * (time.process_time() - began) / (len(drafts[0].tokens) + 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("lengths_s", type=float, nargs="*", default=LENGTHS_S)
    given = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}")
    print("processor ms, least of several rounds: CTranslate2, onnxruntime, and how many times less\n")
    with tempfile.TemporaryDirectory(prefix="glas-whisper-") as place:
        source = given.model or make_checkpoint(Path(place) / "whisper-small")
        for length_s in given.lengths_s:
            if given.model is None:
                end_after(source, round(TOKENS_PER_S * length_s))
            directory = converted(source, Path(place) / "converted", "int8")
            networks = {
                "CTranslate2": Network(directory, device="cpu", precision="int8", threads=1, workers=1),
                "onnxruntime": OnnxNetwork(directory, precision="int8", threads=1),
            }
            least = measure(networks, length_s)
            cells = []
            for step in ("encode", *(f"token, beam {size}" for size in BEAMS)):
                theirs, ours = (least[name, step] for name in networks)
                cells.append(f"{step} {theirs:.1f} {ours:.1f} ({theirs / ours:.2f})")
            print(f"{length_s:4g} s   {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
