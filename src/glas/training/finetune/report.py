"""Messages about the steps of a fine-tuning."""

from typing import Protocol

from glas.localisation import Value


class Report(Protocol):
    """Receives a message about each step: its name in `glas.localisation`, and its values."""

    def __call__(self, name: str, /, **values: Value) -> None:
        """Receive one message."""


def silent(_name: str, /, **_values: Value) -> None:
    """Ignore a message."""
