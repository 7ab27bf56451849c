"""Write the figures of the gate as people read them; conditions are those of `glas.recognition.gate.Condition`."""

from typing import Final

from glas.localisation.catalogue import Catalogue, rounded

_COUNTED: Final = frozenset({"nonspeech", "speakers", "recordings", "texts"})
_RELATIVE: Final = frozenset({"gain", "speed"})


def written_figure(condition: str, value: float | None, say: Catalogue) -> str:
    """Write a limit or a value of a condition, in its unit."""
    if value is None:
        return say("gate-unknown")
    if condition in _COUNTED:
        return f"{value:.0f}"
    return say("gate-percent" if condition in _RELATIVE else "gate-points", value=rounded(100 * value, 2))
