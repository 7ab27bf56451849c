"""Error rates of a model directory on recordings of people, measured with the recogniser of the server."""

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
    """Return the held-out half of the festvox reader's sentences."""
    readings = held_out_readings(package)
    return ReferenceSet(FESTVOX, tuple(Utterance(one.audio, one.audio.name, one.text) for one in readings))


def test_sets(festvox: Path | None, recordings: Sequence[Path]) -> list[ReferenceSet]:
    """Read the test sets.

    Args:
        festvox: directory of the package festvox-ru.
        recordings: directories or manifests; see `read_reference_set`.
    """
    return [*([festvox_set(festvox)] if festvox else []), *(read_reference_set(folder) for folder in recordings)]


def served(model: Path, data_dir: Path) -> Settings:
    """Return settings that serve a model directory, with defaults for all other settings; the environment is not read.

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
    """Measure a model.

    Args:
        model: directory of the model.
        sets: recordings with reference texts.
        data_dir: directory for converted checkpoints.

    Returns:
        An evaluation of each set, in their order.

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
