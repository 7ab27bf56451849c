"""Find the reports of the gate in the directories of rounds and models on this machine.

The reports contain words and sound of people. When a person's data is deleted, the reports with this data are deleted,
too (`glas.system.message_files`).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from glas.domain.errors import NotFoundError
from glas.domain.model_records import REPORT_FIGURES, REPORT_PAGE

# The report of a round of `glas learn`, and a report of `glas promote`.
_PLACES: Final = ("*/report", "promotions/*")


def versions(places: Iterable[Path]) -> tuple[str, ...]:
    """Return the versions of the models about which there is a report of the gate."""
    return tuple(sorted({version for version, _ in _all(places)}))


def report_of(places: Iterable[Path], version: str) -> Path:
    """Return the path of the HTML page of the newest report about a version of a model.

    Raises:
        NotFoundError: there is no such report on this machine, or it was deleted together with the data of a person.
    """
    found = [page for one, page in _all(places) if one == version]
    if not found:
        raise NotFoundError("expected a version of a model with a report on this machine", param="version")
    return max(found, key=lambda page: page.stat().st_mtime)


def _all(places: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for place in places:
        for pattern in _PLACES:
            for folder in place.glob(pattern):
                page = folder / REPORT_PAGE
                version = _candidate(folder / REPORT_FIGURES)
                if version is not None and page.is_file():
                    yield version, page


def _candidate(figures: Path) -> str | None:
    """Return the version of the model that was judged, from the JSON file of a report; None if there is no report."""
    try:
        return str(json.loads(figures.read_bytes())["candidate"]["version"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
