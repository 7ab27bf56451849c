"""Measure the error rates of a model on recordings of people, with the same recogniser as the server."""

from collections.abc import Sequence
from pathlib import Path

from glas.domain.errors import DataSetError
from glas.recognition import open_recogniser
from glas.recognition.evaluation import Evaluation, evaluate
from glas.recognition.references import ReferenceSet, Utterance, read_reference_set
from glas.settings import AudioSettings, NnServiceSettings, Settings
from glas.training.voices.festvox import held_out_readings

FESTVOX = "festvox"


def festvox_set(package: Path) -> ReferenceSet:
    """Return those recordings of the package festvox-ru that are used only for tests, with their texts."""
    readings = held_out_readings(package)
    return ReferenceSet(FESTVOX, tuple(Utterance(one.audio, one.audio.name, one.text) for one in readings))


def test_sets(festvox: Path | None, recordings: Sequence[Path]) -> list[ReferenceSet]:
    """Read the test sets.

    Args:
        festvox: directory of the unpacked package festvox-ru; None if it is not used.
        recordings: directories or manifests of recordings with references; see `read_reference_set`.
    """
    return [*([festvox_set(festvox)] if festvox else []), *(read_reference_set(folder) for folder in recordings)]


def served(model: Path, data_dir: Path) -> Settings:
    """Return settings with the model in a directory as the default model; all other settings have their defaults.

    Environment variables are not read.

    Args:
        model: directory of the model.
        data_dir: directory for converted checkpoints.
    """
    return Settings(
        _env_file=None,
        model=f"whisper:{model.resolve()}",
        data_dir=data_dir,
        audio=AudioSettings(),
        nn_service=NnServiceSettings(),
    )


def measure(model: Path, sets: Sequence[ReferenceSet], data_dir: Path) -> list[Evaluation]:
    """Measure the error rates of a model on sets of recordings.

    Args:
        model: directory of the model.
        sets: recordings with reference texts.
        data_dir: directory for converted checkpoints.

    Returns:
        One evaluation for each set, in the order of `sets`.

    Raises:
        DataSetError: a recording cannot be decoded.
    """
    settings = served(model, data_dir)
    evaluations = []
    with open_recogniser(settings) as recogniser:
        for one in sets:
            found = evaluate(recogniser, one, workers=settings.nn_service.worker_count)
            if found.failures:
                raise DataSetError(f"{one.name}: {found.failures[0].file}: {found.failures[0].message}")
            evaluations.append(found)
    return evaluations
