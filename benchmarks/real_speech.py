"""Measure errors and speed on recordings of people, for Glas and other programs, in one run on one thread.

    python benchmarks/real_speech.py FOLDER [FOLDER ...] [--base DIRECTORY]

A directory is what `glas evaluate` reads. Each program starts from the file: decoding and finding speech are counted.
Ours go through `Recogniser.transcribe`, as the server does. Its decoder processes are counted with their start and the
first recording, which warms up. WER and CER by RU-NORM.

    embedded        the model that lies in the repository, as it is served
    full window     ours with the official whisper-base, every piece filled up to half a minute
    margin          the same with 10 s of silence behind a piece
    faster-whisper  the official whisper-base in int8 with the library's defaults

The official weights are those of `glas models get whisper-base`; without them only the first row is measured.
"""

import argparse
import contextlib
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Set before any of them is loaded. One thread each: threads that wait for each other hide what work costs.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
os.environ |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}

from glas import logs
from glas.domain.metrics import error_rates
from glas.engines import Engine
from glas.engines.catalogue import embedded_directory, local_directory
from glas.engines.whisper import WhisperEngine
from glas.engines.whisper.context import FULL_WINDOW, ContextRule
from glas.recognition import open_recogniser
from glas.recognition.references import ReferenceSet, read_reference_set
from glas.settings import NnServiceSettings, Settings

BEAM_SIZE = 5
MARGIN_S = 10.0

Recognise = Callable[[Path], str]
Program = contextlib.AbstractContextManager[Recognise]


@contextlib.contextmanager
def through(engine: Engine) -> Iterator[Recognise]:
    """Recognise as the server does, one piece of speech at a time."""
    settings = Settings(_env_file=None, model="embedded", nn_service=NnServiceSettings(workers=1))
    with open_recogniser(settings, lambda _name: engine) as recogniser:
        yield lambda path: recogniser.transcribe(path.read_bytes()).hypothesis.text


@contextlib.contextmanager
def faster_whisper(base: Path) -> Iterator[Recognise]:
    """Recognise with the defaults of the library."""
    from faster_whisper import WhisperModel  # noqa: PLC0415

    model: Any = WhisperModel(str(base), device="cpu", compute_type="int8", cpu_threads=1)
    yield lambda path: "".join(segment.text for segment in model.transcribe(str(path), language="ru")[0])


def programs(base: Path, scratch: Path) -> Iterator[tuple[str, Callable[[], Program]]]:
    """Return the programs by name; each call loads the model."""

    def ours(directory: Path, context: ContextRule | None = None) -> Program:
        engine = WhisperEngine(
            directory, name="embedded", cache=scratch / "converted", beam_size=BEAM_SIZE, context=context
        )
        return through(engine)

    yield "embedded", lambda: ours(embedded_directory())
    if not base.is_dir():
        return
    yield "full window", lambda: ours(base, FULL_WINDOW)
    yield "margin", lambda: ours(base, ContextRule(MARGIN_S))
    yield "faster-whisper", lambda: faster_whisper(base)


def measure(load: Callable[[], Program], data: ReferenceSet) -> tuple[float, float, float]:
    """WER, CER and processor seconds of a set of recordings."""
    children_s = _children_s()
    with load() as recognise:
        recognise(data.utterances[0].audio)
        began = time.process_time()
        texts = [recognise(one.audio) for one in data.utterances]
        spent_s = time.process_time() - began
    rates = error_rates([one.text for one in data.utterances], texts)
    return rates.wer, rates.cer, spent_s + _children_s() - children_s


def _children_s() -> float:
    """Processor seconds of child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    logs.configure(level="warning", fmt="console", secrets=())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--base", type=Path, help="directory of the official whisper-base")
    asked = parser.parse_args()
    sets = [read_reference_set(folder) for folder in asked.folders]
    base = asked.base or local_directory(Settings().models_dir, "whisper-base")
    print(f"{platform.processor() or platform.machine()}, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="glas-real-speech-") as scratch:
        for name, load in programs(base, Path(scratch)):
            for data in sets:
                wer, cer, spent_s = measure(load, data)
                figures = f"WER {100 * wer:5.1f} %  CER {100 * cer:5.1f} %  {spent_s:7.1f} processor s"
                print(f"{name:15} {data.name:15} {figures}", flush=True)


if __name__ == "__main__":
    main()
