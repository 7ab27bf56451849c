"""Report the steps of a fine-tuning to its caller, as messages of the catalogue."""

from typing import Protocol

from glas.localisation import Value


class Report(Protocol):
    """Receives messages about the steps: the name of each message in `glas.localisation`, and its values."""

    def __call__(self, name: str, /, **values: Value) -> None:
        """Receive one message."""


def silent(_name: str, /, **_values: Value) -> None:
    """Ignore a message."""
