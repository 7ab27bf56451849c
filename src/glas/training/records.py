"""Describe a model for its model record: base model, data, people from whom the model learnt, verdict of the gate."""

import getpass
from pathlib import Path

from glas.clients.model_record_bodies import CheckRecord, ModelEntry, VerdictRecord
from glas.domain.errors import DataSetError
from glas.domain.model_records import FirstState
from glas.domain.splits import Split
from glas.recognition.gate import Verdict
from glas.recognition.lineage import read_lineage
from glas.training.datasets.version import Version, read_version


def entry_of(verdict: Verdict, state: FirstState, datasets: Path) -> ModelEntry:
    """Return the description of a model that the gate has judged, for its model record.

    Args:
        verdict: verdict of the gate.
        state: state of the model after the verdict.
        datasets: directory of the dataset versions. If the version on which the model was trained is missing, the
            record contains no people.

    Raises:
        ModelLoadError: the lineage of the model is damaged.
    """
    candidate, place = verdict.candidate, Path(verdict.candidate.name.partition(":")[2])
    lineage = read_lineage(place) if place.is_absolute() else None
    taught = {} if lineage is None or lineage.data is None else _taught(datasets, lineage.data)
    return ModelEntry(
        name=candidate.name,
        version=candidate.version,
        state=state,
        base=None if lineage is None else str(lineage.base),
        dataset_version=None if lineage is None else lineage.data,
        # Pseudonyms and hashes of texts are left out: only the lineage file of the model contains them.
        lineage={} if lineage is None else lineage.model_dump(mode="json", include={"recipe", "result", "kept"}),
        n_people=len(taught),
        message_ids=tuple(taught.values()),
        former=verdict.champion,
        verdict=as_record(verdict),
        operator=getpass.getuser(),
    )


def as_record(verdict: Verdict) -> VerdictRecord:
    """Return the parts of a verdict that db_assist stores in the record of a model."""
    return VerdictRecord(
        passed=verdict.passed,
        wer_before=verdict.wer_before,
        wer_after=verdict.wer_after,
        checks=tuple(CheckRecord.model_validate(one.model_dump(mode="json")) for one in verdict.checks),
    )


def taught_by(version: Version) -> dict[str, int]:
    """Return the id of one message of each speaker in the training set or development set of a version.

    The keys of the result are the pseudonyms of the speakers.
    """
    return {one.speaker: one.id for one in version.entries if one.split is not Split.TEST}


def _taught(datasets: Path, name: str) -> dict[str, int]:
    try:
        return taught_by(read_version(datasets, name))
    except DataSetError:
        return {}
