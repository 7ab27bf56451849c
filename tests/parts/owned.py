"""Small own models and a small champion, each of which writes other letters for the same sound."""

from typing import NamedTuple

from glas.clients.own_models import OwnModelEntry
from glas.domain.model_ref import ModelRef
from glas.domain.own_models import OwnModel
from glas.engines.versions import ModelVersions
from glas.settings import Settings
from tests.models.swapped import write_two, write_weights


class Models(NamedTuple):
    """The champion, and two own models that were judged better than it."""

    champion: ModelRef
    first: OwnModel
    second: OwnModel


def write_models(settings: Settings) -> Models:
    """Put three small models into the directory of models; the first is the champion."""
    names = write_two(settings.models_dir)
    write_weights(settings.models_dir / "small-2", 2)
    names.append(f"onnx:{(settings.models_dir / 'small-2').resolve()}")
    versions = ModelVersions(settings.models_dir)
    champion, *own = [ModelRef(name=name, version=versions.version_of(name)) for name in names]
    return Models(champion, *(OwnModel(model=ref, instead_of=champion.version) for ref in own))


def entry_of(own: OwnModel, **owner: int) -> OwnModelEntry:
    """The entry by which an own model answers somebody."""
    return OwnModelEntry(
        **own.model.model_dump(),
        instead_of=own.instead_of,
        wer_before=0.3,
        wer_after=0.2,
        operator="anna",
        **owner,
    )
