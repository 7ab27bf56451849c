"""The embedded model, loaded once for all apps of a process: a test of an app is rarely about loading it."""

import copy
from functools import cache
from pathlib import Path

from glas.engines import Engine
from glas.engines.load import load_engine


def under_another_name(name: str) -> Engine:
    """The embedded model, whichever is asked for; to close one of them leaves the others their weights."""
    engine = copy.copy(_embedded())
    engine.name = name  # type: ignore[misc]  # an engine of ours, whose name is a plain attribute
    return engine


def embedded_if_asked_for(models_dir: Path, name: str) -> Engine:
    """The embedded model if it is asked for; any other one is loaded from its files."""
    return under_another_name(name) if name == "embedded" else load_engine(name, models_dir=models_dir)


@cache
def _embedded() -> Engine:
    return load_engine("embedded", models_dir=Path("no-models"))
