"""How well and how fast recordings of people are recognised, by us and by others, in one run on one thread.

    python benchmarks/real_speech.py FOLDER [FOLDER ...] [--base DIRECTORY]

A folder is an `audiofolder` of Hugging Face: `metadata.jsonl` with file_name and text, the audio beside it. Each
program starts from the file: decoding and finding speech are counted. WER and CER by RU-NORM.

    embedded        the model that lies in the repository, as it is served
    full window     ours with the official whisper-base, every piece filled up to half a minute
    margin          the same with 10 s of silence behind a piece
    faster-whisper  the official whisper-base in int8 with the library's defaults

The official weights are those of `glas models get whisper-base`; without them only the first row is measured.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Set before any of them is loaded. One thread each: threads that wait for each other hide what work costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.audio.segmentation import SegmentationOptions, segment_speech
from glas.audio.vad import VoiceActivityDetector
from glas.domain.metrics import error_rates
from glas.engines import Engine
from glas.engines.catalogue import embedded_directory, local_directory
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.context import FULL_WINDOW, ContextRule
from glas.settings import Settings

BEAM_SIZE = 5
MARGIN_S = 10.0

Recognise = Callable[[Path], str]


def through(engine: Engine) -> Recognise:
    """From a file to text as the server goes: decode, find speech, recognise."""
    vad, limits, options = VoiceActivityDetector(), DecodeLimits(), SegmentationOptions()

    def recognise(path: Path) -> str:
        pieces = segment_speech(decode_blocks(path.read_bytes(), limits), vad, options)
        return " ".join(found.text for piece in pieces for found in engine.recognise([piece.samples]))

    return recognise


def faster_whisper(base: Path) -> Recognise:
    """Let the library recognise with its own defaults."""
    from faster_whisper import WhisperModel  # noqa: PLC0415

    model: Any = WhisperModel(str(base), device="cpu", compute_type="int8", cpu_threads=1)
    return lambda path: "".join(segment.text for segment in model.transcribe(str(path), language="ru")[0])


def programs(base: Path, scratch: Path) -> Iterator[tuple[str, Recognise]]:
    """Each with its name, loaded when its turn comes."""
    cache = scratch / "converted"
    yield "embedded", through(WhisperEngine(embedded_directory(), name="embedded", cache=cache, beam_size=BEAM_SIZE))
    if not base.is_dir():
        return
    for name, context in (("full window", FULL_WINDOW), ("margin", ContextRule(MARGIN_S))):
        yield name, through(WhisperEngine(base, name=name, cache=cache, beam_size=BEAM_SIZE, context=context))
    yield "faster-whisper", faster_whisper(base)


def measure(recognise: Recognise, folder: Path) -> tuple[float, float, float]:
    """WER, CER and processor seconds of a folder."""
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    recognise(folder / rows[0]["file_name"])
    began = time.process_time()
    texts = [recognise(folder / row["file_name"]) for row in rows]
    spent_s = time.process_time() - began
    rates = error_rates([row["text"] for row in rows], texts)
    return rates.wer, rates.cer, spent_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--base", type=Path, help="directory of the official whisper-base")
    asked = parser.parse_args()
    base = asked.base or local_directory(Settings().models_dir, "whisper-base")
    print(f"{platform.processor() or platform.machine()}, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="glas-real-speech-") as scratch:
        for name, recognise in programs(base, Path(scratch)):
            for folder in asked.folders:
                wer, cer, spent_s = measure(recognise, folder)
                figures = f"WER {100 * wer:5.1f} %  CER {100 * cer:5.1f} %  {spent_s:7.1f} processor s"
                print(f"{name:15} {folder.name:15} {figures}", flush=True)


if __name__ == "__main__":
    main()
