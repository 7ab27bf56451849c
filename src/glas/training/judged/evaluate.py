"""Error rates: held-out voices clean and through the channel, new VoxForge readers, the festvox reader, real speech.

Either of a checkpoint or of the exported model; the card shows the latter's.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from glas.domain.metrics import ErrorRates, error_rates
from glas.engines.beam import BeamSearch, Token
from glas.engines.language_model import LanguageModel
from glas.training.language.language_model import LETTERS
from glas.training.network.batches import collate
from glas.training.network.export import fold_narrowing
from glas.training.network.model import Shape, greedy, output_lengths
from glas.training.network.train import load_network
from glas.training.network.vocal_tract import SpeakerNormalised
from glas.training.sound.channel import decode_audio
from glas.training.sound.features import Features, from_bytes, log_mel, normalise
from glas.training.sound.shards import finished_shards, open_shard
from glas.training.voices.festvox import held_out_readings
from glas.training.voices.voxforge import BandMap

BATCH_UTTERANCES = 8

LogProbs = npt.NDArray[np.float32]
Recognise = Callable[[list[Features]], list[str]]


@dataclass(frozen=True)
class TestSet:
    """Features (t, 80), normalised, and what was said."""

    name: str
    features: list[Features]
    texts: list[str]


@dataclass(frozen=True)
class TestData:
    """Where test sets come from: the folder of training, the unpacked festvox-ru, folders of recordings."""

    data: Path
    festvox: Path | None = None
    recordings: list[Path] = field(default_factory=list)


def test_set_of_shard(data: Path, name: str) -> TestSet:
    """A test set from a shard."""
    shard = open_shard(data / "shards", name)
    return TestSet(
        name, [normalise(from_bytes(shard.bytes_of(e))) for e in shard.entries], [e.text for e in shard.entries]
    )


def test_set_of_folder(folder: Path) -> TestSet:
    """Recordings: `metadata.jsonl` with file_name and text, the audio beside it."""
    records = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    features = [normalise(log_mel(decode_audio(str(folder / record["file_name"])))) for record in records]
    return TestSet(folder.name, features, [record["text"] for record in records])


def test_set_of_festvox(folder: Path) -> TestSet:
    """The held-out half of the festvox reader's sentences."""
    readings = held_out_readings(folder)
    features = [normalise(log_mel(decode_audio(str(reading.audio)))) for reading in readings]
    return TestSet("festvox", features, [reading.text for reading in readings])


def test_sets(tests: TestData) -> list[TestSet]:
    """Every test set there is."""
    there = finished_shards(tests.data / "shards", "")
    names = [name for name in ("test-clean", "test-channel", "voxforge-test") if name in there]
    sets = [test_set_of_shard(tests.data, name) for name in names]
    sets += [test_set_of_festvox(tests.festvox)] if tests.festvox else []
    return sets + [test_set_of_folder(folder) for folder in tests.recordings]


@torch.inference_mode()
def recognise(network: SpeakerNormalised, features: list[Features]) -> list[str]:
    """Greedy texts, in the order of the features (t, 80)."""
    order = np.argsort([len(f) for f in features])
    texts = [""] * len(features)
    for start in range(0, len(order), BATCH_UTTERANCES):
        rows = order[start : start + BATCH_UTTERANCES]
        batch = collate([(features[row], "") for row in rows])
        log_probs = network(batch.features, batch.lengths)
        lengths = output_lengths(network.network.shape, batch.lengths)
        for row, text in zip(rows, greedy(log_probs, lengths), strict=True):
            texts[row] = text
    return texts


def exported_network(folder: Path) -> Callable[[Features], LogProbs]:
    """The exported network on one core: features (t, 80) to log-probabilities (frames, 34)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.int8.onnx", options, providers=["CPUExecutionProvider"])

    def run(features: Features) -> LogProbs:
        feeds = {"audio_signal": features.T[None], "length": np.array([len(features)])}
        log_probs: LogProbs = session.run(["logprobs"], feeds)[0][0]
        return log_probs

    return run


def exported_search(folder: Path, lm: LanguageModel) -> Callable[[Features], tuple[list[Token], LogProbs]]:
    """The exported network and the beam search as they are served."""
    run, search = exported_network(folder), BeamSearch(lm, LETTERS + "\0", len(LETTERS))

    def find(features: Features) -> tuple[list[Token], LogProbs]:
        log_probs = run(features)
        return search.decode(log_probs), log_probs

    return find


def exported_recogniser(folder: Path, lm: LanguageModel | None = None) -> Recognise:
    """The exported model on one core, one utterance at a time: greedy, or with the language model as it is served."""
    if lm:
        search = exported_search(folder, lm)
        return lambda features: ["".join(LETTERS[token.id] for token in search(one)[0]) for one in features]
    run = exported_network(folder)

    def recognise_one(features: Features) -> str:
        lengths = output_lengths(Shape(), torch.tensor([len(features)]))
        return greedy(torch.from_numpy(run(features)[None]), lengths)[0]

    return lambda features: [recognise_one(one) for one in features]


def measure(recogniser: Recognise, sets: list[TestSet], examples: int = 0) -> dict[str, ErrorRates]:
    """Print and return the error rates of every set."""
    results = {}
    for test_set in sets:
        heard = recogniser(test_set.features)
        rates = results[test_set.name] = error_rates(test_set.texts, heard)
        print(
            f"  {test_set.name:14} {rates.n_utterances:4} utterances  "
            f"WER {100 * rates.wer:5.1f} %  CER {100 * rates.cer:5.1f} %",
            flush=True,
        )
        for said, text in list(zip(test_set.texts, heard, strict=True))[:examples]:
            print(f"    {said}\n    → {text}")
    return results


def evaluate_checkpoint(checkpoint: Path, tests: TestData, narrowing: float, examples: int) -> None:
    """Print the error rates of a checkpoint on every set, as it would be exported with that narrowing."""
    torch.set_num_threads(1)
    network, progress = load_network(checkpoint)
    if narrowing:
        fold_narrowing(network, BandMap.load(tests.data / "map.npz").narrow, narrowing)
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')} {checkpoint.parent.name} step {progress.step}, "
        f"{progress.seen_s / 3600:.1f} h seen, {progress.elapsed_s / 60:.0f} min, loss {progress.loss:.3f}"
    )
    heard = SpeakerNormalised(network).eval()
    measure(lambda features: recognise(heard, features), test_sets(tests), examples)
