"""Measure a candidate and the champion on the same recordings, and let the gate judge the results."""

import io
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glas.domain.errors import DataSetError
from glas.domain.text import normalise
from glas.domain.transcription import SAMPLE_RATE_HZ
from glas.engines.catalogue import local_directory
from glas.recognition.cost import slower_by
from glas.recognition.evaluation import Evaluation, evaluate
from glas.recognition.gate import GateLimits, Measured, Overlap, Verdict, judge
from glas.recognition.lineage import Lineage, read_lineage
from glas.recognition.nonspeech import clips
from glas.recognition.recogniser import Recogniser, open_recogniser
from glas.recognition.references import ReferenceSet, Utterance
from glas.settings import Settings
from glas.system.files import sha256_of

NONSPEECH, NONSPEECH_S, NONSPEECH_SEED = 120, 5.0, 7


@dataclass(frozen=True)
class TestData:
    """The recordings on which models are compared.

    Attributes:
        test: recordings of the same kind as the training recordings of the candidate.
        guards: sets of recordings of other kinds (guard sets), on which the candidate must not be worse than the
            champion.
        is_personal: whether the model is personal: the test set has the same speakers as the training data, but other
            recordings and texts.
    """

    test: ReferenceSet
    guards: tuple[ReferenceSet, ...] = ()
    is_personal: bool = False
    __test__ = False  # so that pytest does not take this class for a test


class TrialResult(NamedTuple):
    """The verdict of the gate, and the measurements of both models."""

    verdict: Verdict
    champion: Measured
    candidate: Measured


def try_candidate(
    settings: Settings,
    candidate: str,
    data: TestData,
    limits: GateLimits | None = None,
    report: Callable[[str | None], None] = lambda _model: None,
) -> TrialResult:
    """Measure the champion and a candidate, and decide whether the candidate passes the gate.

    Args:
        settings: the settings of the server; their default model is the champion.
        candidate: name of the candidate, in the format of GLAS_MODEL.
        data: the recordings on which both models are measured.
        limits: limits of the gate; None for the defaults.
        report: function that is called with the name of the model that is measured next, and with None before the
            speeds of both models are compared.

    Raises:
        UnknownModelError, ModelError: one of the models cannot be loaded.
        DataSetError: a recording cannot be recognised, or there is no recording.
    """
    workers = settings.nn_service.worker_count
    other = settings.model_copy(update={"model": candidate})
    sounds = list(nonspeech())
    with open_recogniser(settings) as first, open_recogniser(other) as second:
        measured = []
        for recogniser in (first, second):
            report(recogniser.registry.default)
            measured.append(_measure(recogniser, data, sounds, workers))
        report(None)
        slower = slower_by(first, second, data.test.utterances)
        name = second.registry.default
    overlap = overlap_of(_lineage_of(name, settings.models_dir), data)
    verdict = judge(measured[0], measured[1], slower=slower, overlap=overlap, limits=limits)
    return TrialResult(verdict, measured[0], measured[1])


def _measure(recogniser: Recogniser, data: TestData, sounds: Sequence[bytes], workers: int) -> Measured:
    def evaluated(one: ReferenceSet) -> Evaluation:
        found = evaluate(recogniser, one, workers=workers)
        if found.failures:
            raise DataSetError(f"{one.name}: {found.failures[0].file}: {found.failures[0].message}")
        return found

    test = evaluated(data.test)
    n_invented = count_invented(recogniser, sounds, workers)
    guards = tuple(evaluated(one) for one in data.guards)
    return Measured(model=test.model, test=test, guards=guards, n_nonspeech=len(sounds), n_invented=n_invented)


def count_invented(recogniser: Recogniser, sounds: Sequence[bytes], workers: int) -> int:
    """Return for how many sounds without speech the default model of a recogniser writes a text."""
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(lambda sound: bool(recogniser.transcribe(sound).hypothesis.text), sounds))


def nonspeech() -> Iterator[bytes]:
    """Yield the bytes of WAV files without speech, which together last ten minutes."""
    for _, sound in clips(NONSPEECH, NONSPEECH_S, NONSPEECH_SEED):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        yield buffer.getvalue()


def _lineage_of(name: str, models_dir: Path) -> Lineage | None:
    place = Path(name.partition(":")[2])
    return read_lineage(place if place.is_absolute() else local_directory(models_dir, name))


def overlap_of(lineage: Lineage | None, data: TestData) -> Overlap:
    """Count the speakers, recordings and texts of the test that were also in the training data of a model.

    The recordings of the guard sets are counted, too, but not their speakers and texts. All counts are 0 for a model
    without lineage, because such a model was not fine-tuned with Glas.
    """
    if lineage is None:
        return Overlap(n_speakers=0, n_recordings=0, n_texts=0, is_personal=data.is_personal)
    tested = data.test.utterances
    all_of_them: Sequence[Utterance] = [*tested, *(one for guard in data.guards for one in guard.utterances)]
    recordings, texts = set(lineage.recordings), set(lineage.texts)
    return Overlap(
        n_speakers=len({one.speaker for one in tested if one.speaker} & set(lineage.speakers)),
        n_recordings=sum(sha256_of(one.audio) in recordings for one in all_of_them),
        n_texts=sum(text_hash(one.text) in texts for one in tested),
        is_personal=data.is_personal,
    )


def text_hash(text: str) -> str:
    """Return a hash that identifies a reference by its words: sha256 of the normalised text."""
    return sha256(normalise(text).encode()).hexdigest()
