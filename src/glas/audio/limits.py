"""Limits of memory and time for decoding one recording."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glas.settings import AudioSettings  # decoder processes import this module and need no settings

_MIB = 1 << 20


@dataclass(frozen=True)
class DecodeLimits:
    """Limits for decoding one file; a file that exceeds one of them is refused.

    This class is not a Pydantic model, because a decoder process would need a third of its start time for the import of
    Pydantic.

    Attributes:
        max_duration_s: longest recording in seconds of decoded samples. Samples up to this length are returned; then
            AudioTooLongError is raised. If the header of the file already states a longer duration, the error is raised
            before any sample is decoded.
        memory_bytes: bytes of address space that a decoder process may use for one file. Two amounts are not counted:
            the memory that the process uses before it reads the file, and twice the size of the file. The limit works
            only on Linux.
        cpu_s: processor time in seconds that the decoding of one file may take. Two hours of Opus take about 15 s on a
            server core of 2023.
        wall_s: longest total time in seconds that the reader (the process that asked for the samples) waits for the
            decoder of one file. The time between two blocks in which the reader does not wait is not counted, so a slow
            recogniser does not cause an error.
    """

    max_duration_s: float = 7200
    memory_bytes: int = 384 * _MIB
    cpu_s: int = 60
    wall_s: float = 120


def decode_limits(settings: "AudioSettings") -> DecodeLimits:
    """Return the limits that the settings contain."""
    return DecodeLimits(
        max_duration_s=settings.max_duration_s,
        memory_bytes=settings.decode_memory_mb * _MIB,
        cpu_s=settings.decode_cpu_s,
        wall_s=settings.decode_wall_s,
    )
