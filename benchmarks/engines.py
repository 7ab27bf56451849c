"""Measure the processor seconds of a model, and Glas' share, per second of audio on one thread.

A Whisper, so the embedded model: text alone, and with the times of words, which take another pass of the decoder. A
model of onnxruntime (on disk, with one network: CTC), in turns: the bare network on ready features, onnx-asr (features,
network, greedy decoding), and our engine (checks, onnx-asr, words with times and confidences). The ratios are what to
look at: all in one run see the same load of the machine. Run it with `python benchmarks/engines.py [model]`.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# Set before numpy is loaded: its own threads would hide what one thread costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

from glas.domain.decoding import PLAIN
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from glas.engines import Engine
from glas.engines.catalogue import is_on_disk
from glas.engines.load import load_engine
from glas.engines.onnx import OnnxEngine

ROOT = Path(__file__).parents[1]
MODELS_DIR = ROOT / "data" / "models"
LENGTHS_S = (4, 8, 15, 30)
ROUNDS = 15
BATCH = 8


def speech(length_s: float) -> Samples:
    """Return the samples of the repository, joined, or noise if there are none; shape `(n_samples,)`."""
    n_samples = round(length_s * SAMPLE_RATE_HZ)
    recordings = sorted((ROOT / "samples").glob("*.ogg"))
    if not recordings:
        return (np.random.default_rng(0).standard_normal(n_samples) * 0.05).astype(np.float32)
    import av  # noqa: PLC0415  only where there is something to decode

    parts: list[Samples] = []
    for path in recordings:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HZ)
        with av.open(str(path)) as container:
            parts += [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.ascontiguousarray(np.resize(np.concatenate(parts), n_samples), dtype=np.float32)


def cpu_ms(call: Callable[[], object]) -> float:
    """Processor time of one call of this process, milliseconds."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def in_turns(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median processor time, ms, of each call over `ROUNDS` rounds; the calls are made in turns."""
    for call in calls.values():
        call()
    rounds = [{name: cpu_ms(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in calls}


def costs(engine: OnnxEngine, samples: Samples) -> dict[str, float]:
    """Processor time, milliseconds, of the layers that one call goes through."""
    adapter: Any = engine._model  # noqa: SLF001  the layers are measured from within
    asr = adapter.asr
    waves, lengths = samples[None], np.array([samples.size])
    features, feature_lengths = asr._preprocessor(waves, lengths)  # noqa: SLF001
    session = asr._model  # noqa: SLF001
    inputs = dict(zip([each.name for each in session.get_inputs()], [features, feature_lengths], strict=True))
    return in_turns(
        {
            "network": lambda: session.run(None, inputs),
            "features": lambda: asr._preprocessor(waves, lengths),  # noqa: SLF001
            "onnx-asr": lambda: adapter.recognize(samples),
            "engine": lambda: engine.recognise([samples]),
        }
    )


def loaded_in_a_fresh_process(model: str) -> dict[str, float]:
    """Seconds to import and to load, and peak memory in 10⁶ bytes before and after loading and after 15 s of audio."""
    answer = subprocess.run([sys.executable, __file__, "--load", model], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def load_once(model: str) -> None:
    """Print the figures of `loaded_in_a_fresh_process`, which starts this."""

    def peak_mb() -> float:
        # Not getrusage: its maximum lives on from the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6

    before_mb, began_s = peak_mb(), time.perf_counter()
    import ctranslate2  # noqa: F401, PLC0415  so that importing and loading are told apart
    import onnx_asr  # noqa: F401, PLC0415  likewise

    imported_s = time.perf_counter()
    engine = load_engine(model, models_dir=MODELS_DIR)
    loaded_s, loaded_mb = time.perf_counter(), peak_mb()
    engine.recognise([speech(15)])
    figures = {
        "import_s": imported_s - began_s,
        "load_s": loaded_s - imported_s,
        "before_mb": before_mb,
        "loaded_mb": loaded_mb,
        "after_15_s_mb": peak_mb(),
    }
    print(json.dumps(figures))


def show_onnx(engine: OnnxEngine) -> None:
    """Print the times of the layers of a model of onnxruntime, and the saving by a batch."""
    print("audio   network  features  onnx-asr    engine   ratio   processor s per audio s   RTFx")
    for length_s in LENGTHS_S:
        if length_s > engine.window_s:
            continue
        ms = costs(engine, speech(length_s))
        share = ms["engine"] / 1000 / length_s
        row = "".join(f"{ms[name]:10.1f}" for name in ("network", "features", "onnx-asr", "engine"))
        print(f"{length_s:3d} s {row}{ms['engine'] / ms['network']:8.2f}{share:18.5f}{1 / share:18.0f}")
    piece = speech(8)
    adapter: Any = engine._model  # noqa: SLF001
    ms = in_turns(
        {
            "alone": lambda: engine.recognise([piece] * BATCH),
            "together": lambda: adapter.recognize([piece] * BATCH),
        }
    )
    print(f"\n{BATCH} pieces of 8 s: one by one {ms['alone']:.0f} ms, as one batch {ms['together']:.0f} ms")


def show_whisper(engine: Engine) -> None:
    """Print the times for a text, without and with times of its words."""
    print("audio      text  with words   processor s per audio s (text)   RTFx")
    text_alone = PLAIN.model_copy(update={"wants_words": False})
    for length_s in LENGTHS_S:
        piece = speech(length_s)
        ms = in_turns(
            {
                "text": partial(engine.recognise, [piece], text_alone),
                "words": partial(engine.recognise, [piece]),
            }
        )
        share = ms["text"] / 1000 / length_s
        print(f"{length_s:3d} s {ms['text']:10.1f}{ms['words']:12.1f}{share:25.5f}{1 / share:16.0f}")


def main(model: str) -> None:
    """Measure and print."""
    if not is_on_disk(MODELS_DIR, model):
        print(f"{model} is not on disk: nothing to measure")
        return
    engine = load_engine(model, models_dir=MODELS_DIR)
    print(f"{model}, one thread, {platform.processor() or platform.machine()}, {time.strftime('%Y-%m-%d')}")
    print(f"median of {ROUNDS} rounds, processor milliseconds\n")
    if isinstance(engine, OnnxEngine):
        show_onnx(engine)
    else:
        show_whisper(engine)
    figures = loaded_in_a_fresh_process(model)
    print(f"import {figures['import_s']:.2f} s, load {figures['load_s']:.2f} s (with a second of silence recognised)")
    print(
        f"peak memory {figures['before_mb']:.0f} MB before, {figures['loaded_mb']:.0f} MB loaded, "
        f"{figures['after_15_s_mb']:.0f} MB after 15 s of audio"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--load", name]:
            load_once(name)
        case [name]:
            main(name)
        case _:
            main("embedded")
