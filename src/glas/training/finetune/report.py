"""Report the steps of a fine-tuning to its caller, as texts of the catalogue."""

from typing import Protocol

from glas.localisation import Value


class Report(Protocol):
    """Receives reports about the steps: the name of a text in `glas.localisation`, and the values of its variables."""

    def __call__(self, name: str, /, **values: Value) -> None:
        """Receive one report: the name of a text, and the values of its variables."""


def silent(_name: str, /, **_values: Value) -> None:
    """Ignore a report."""
