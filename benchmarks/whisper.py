"""Measure processor seconds per clip of Whisper in Glas and in other programs, on one thread, in one run.

    transformers   the pipeline in fp32: the way of the original system
    faster-whisper int8, greedy, without times: the engine that most servers use
    wyoming        wyoming-faster-whisper, a whole server over its own protocol: int8, greedy, with times
    padded         our engine with a stock model: int8, heard in the full window
    dynamic        our engine with a model that may be heard at its true length

All write the same tokens, three a second, with a checkpoint of whisper-small's size (`whisper_small/checkpoint.py`).
Peers that are not installed are left out; they are heavy and no part of Glas:

    python -m venv peers && peers/bin/pip install -e .[asr] transformers torch wyoming-faster-whisper
    peers/bin/python benchmarks/whisper.py [seconds of a clip ...]
"""

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Set before any of them is loaded. One thread each: threads that wait for each other hide what work costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.whisper_small.checkpoint import end_after, make_checkpoint
from benchmarks.whisper_small.wyoming import wyoming_server
from glas.domain.decoding import DecodingOptions
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.context import FULL_WINDOW, ContextRule

LENGTHS_S = (4.0, 8.0, 10.0, 15.0, 30.0)
TOKENS_PER_S = 3
ROUNDS = 2
# Letters by which texts of as many tokens differ where int8 takes another token than fp32.
LETTERS_APART = 3
PLAIN = DecodingOptions(wants_words=False)

# Of one core of the machine on which the figures of docs/benchmarks.md were measured, an AMD EPYC with AVX-512 VNNI.
INT8_GOPS, FP32_GFLOPS, MEMORY_GBS = 410.0, 90.0, 22.0
"""Best rates of products of large matrices and of reading memory, measured with oneDNN and NumPy."""

Call = Callable[[], str]


def limit_s(length_s: float, n_tokens: int) -> float:
    """Return a lower bound of the seconds: the work of whisper-small over the machine's best rates.

    The encoder costs 170 MFLOP for each of 50 positions a second in matrices, and 36.9 kFLOP for each pair of positions
    in attention; cross-attention's keys and values 28 MFLOP a position; each token reads the decoder's 139 MB once.
    """
    positions = 50 * length_s
    matrices = (170e6 + 28e6) * positions + 4.2e6 * positions
    attention = 36.9e3 * positions**2
    return matrices / (INT8_GOPS * 1e9) + attention / (FP32_GFLOPS * 1e9) + n_tokens * 139e6 / (MEMORY_GBS * 1e9)


def sound(length_s: float) -> Samples:
    """Return noise of varying loudness, because the words do not matter; shape `(n_samples,)`."""
    n_samples = round(length_s * SAMPLE_RATE_HZ)
    loudness = np.abs(np.sin(np.arange(n_samples) / 3000))
    return (0.1 * loudness * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)


class Peers:
    """All programs with one checkpoint, loaded one after another."""

    def __init__(self, checkpoint: Path, cache: Path, stack: ExitStack) -> None:
        self._checkpoint = checkpoint
        self._stack = stack
        self._padded = WhisperEngine(checkpoint, name="padded", cache=cache, context=FULL_WINDOW)
        self._dynamic = WhisperEngine(checkpoint, name="dynamic", cache=cache, context=ContextRule(0.0))
        (self._converted,) = (path for path in cache.iterdir() if path.is_dir())

    def calls(self, samples: Samples) -> dict[str, tuple[Call, Callable[[], float]]]:
        """Return the call of each program for a clip, and the clock of its processor time in seconds."""
        calls: dict[str, tuple[Call, Callable[[], float]]] = {}
        if find_spec("transformers") and find_spec("torch"):
            calls["transformers"] = self._transformers(samples), time.process_time
        calls["faster-whisper"] = self._faster_whisper(samples), time.process_time
        if find_spec("wyoming_faster_whisper"):
            server = self._stack.enter_context(wyoming_server(self._converted))
            calls["wyoming"] = lambda: server.recognise(samples), server.cpu_s
        calls["padded"] = lambda: self._padded.recognise([samples], PLAIN)[0].text, time.process_time
        calls["dynamic"] = lambda: self._dynamic.recognise([samples], PLAIN)[0].text, time.process_time
        return calls

    def _transformers(self, samples: Samples) -> Call:
        import torch  # noqa: PLC0415
        from transformers import pipeline  # noqa: PLC0415

        torch.set_num_threads(1)
        recogniser: Any = pipeline("automatic-speech-recognition", str(self._checkpoint), dtype=torch.float32)
        options = {"language": "ru", "task": "transcribe"}
        return lambda: str(recogniser(samples.copy(), generate_kwargs=dict(options))["text"])

    def _faster_whisper(self, samples: Samples) -> Call:
        from faster_whisper import WhisperModel  # noqa: PLC0415

        model: Any = WhisperModel(str(self._converted), device="cpu", compute_type="int8", cpu_threads=1)

        def recognise() -> str:
            segments, _ = model.transcribe(samples, language="ru", beam_size=1, temperature=0, without_timestamps=True)
            return "".join(segment.text for segment in segments)

        return recognise


def measure(checkpoint: Path, length_s: float) -> dict[str, float]:
    """Return the median processor seconds of each program for a clip, over `ROUNDS` rounds in turns."""
    n_tokens = round(TOKENS_PER_S * length_s)
    end_after(checkpoint, n_tokens)
    cache = Path(tempfile.mkdtemp(dir=checkpoint.parent))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, cache)
        calls = Peers(checkpoint, cache, stack).calls(sound(length_s))
        spent: dict[str, list[float]] = {name: [] for name in calls}
        texts = {}
        for _ in range(ROUNDS):
            for name, (call, clock) in calls.items():
                began = clock()
                texts[name] = call().strip()
                spent[name].append(clock() - began)
    n_letters = {name: len(text) for name, text in texts.items()}
    if max(n_letters.values()) - min(n_letters.values()) > LETTERS_APART:
        print(f"    not all wrote as much: {n_letters} letters")
    return {name: statistics.median(seconds) for name, seconds in spent.items()}


def main(lengths_s: list[float]) -> None:
    """Measure and print."""
    machine, load = platform.processor() or platform.machine(), os.getloadavg()[0]
    print(f"whisper-small, {machine}, {time.strftime('%Y-%m-%d')}, load {load:.1f}")
    print(f"processor seconds of one clip on one thread, median of {ROUNDS}; in brackets: transformers ÷ it\n")
    with tempfile.TemporaryDirectory(prefix="glas-whisper-") as directory:
        checkpoint = make_checkpoint(Path(directory) / "whisper-small")
        for length_s in lengths_s:
            seconds = measure(checkpoint, length_s)
            base = seconds.get("transformers")
            cells = (f"{name} {s:.2f}" + (f" ({base / s:.1f})" if base else "") for name, s in seconds.items())
            share = limit_s(length_s, round(TOKENS_PER_S * length_s)) / seconds["dynamic"]
            print(f"{length_s:4g} s   {'   '.join(cells)}   limit ÷ dynamic {100 * share:.0f} %", flush=True)


if __name__ == "__main__":
    main([float(one) for one in sys.argv[1:]] or list(LENGTHS_S))
