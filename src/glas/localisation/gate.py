"""Make texts for people from the conditions of the gate (see `glas.recognition.gate`) and their measured values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from glas.localisation.catalogue import Catalogue, rounded

_COUNTED: Final = frozenset({"nonspeech", "speakers", "recordings", "texts"})
_RELATIVE: Final = frozenset({"gain", "speed"})


def written_condition(condition: str, subject: str, part: Mapping[str, Any] | None, say: Catalogue) -> str:
    """Return the name of a condition in the reader's language.

    Args:
        condition: name of the condition, a value of `glas.recognition.gate.Condition`.
        subject: name of the guard set, if the condition is about a guard set; otherwise empty. On a guard set, the
            candidate may have only slightly more errors than the champion.
        part: if the condition is about a part of the test set, this part as a mapping with the keys `kind`, `low` and
            `high` (see `glas.recognition.gate.Bucket`); otherwise None.
        say: the catalogue of the reader's language.
    """
    if part is not None:
        return say("gate-bucket", subject=written_part(part, say))
    return say(f"gate-{condition}", **({"subject": subject} if subject else {}))


def written_part(part: Mapping[str, Any], say: Catalogue) -> str:
    """Return the name of a part of the test set in the reader's language."""
    kind = say(f"bucket-{part['kind']}")
    low, high = (None if border is None else Decimal(f"{border:g}") for border in (part["low"], part["high"]))
    if low is None:
        return say("bucket-below", kind=kind, high=high or Decimal(0))
    if high is None:
        return say("bucket-from", kind=kind, low=low)
    return say("bucket-between", kind=kind, low=low, high=high)


def written_figure(condition: str, value: float | None, say: Catalogue) -> str:
    """Format the limit or the measured value of a condition, in the unit of the condition."""
    if value is None:
        return say("gate-unknown")
    if condition in _COUNTED:
        return f"{value:.0f}"
    return say("gate-percent" if condition in _RELATIVE else "gate-points", value=rounded(100 * value, 2))
