"""Limits of memory and time for decoding one recording."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from glas.settings import AudioSettings  # decoder processes import this module and need no settings

_MIB = 1 << 20


class DecodeLimits(BaseModel):
    """Limits for decoding one file; a file that exceeds one of them is refused."""

    model_config = ConfigDict(frozen=True)

    max_duration_s: float = Field(
        default=7200,
        gt=0,
        description="Longest recording in seconds of decoded samples. The length in the header of the file is not "
        "used. Samples up to this length are returned; then AudioTooLongError is raised.",
    )
    memory_bytes: int = Field(
        default=384 * _MIB,
        ge=16 * _MIB,
        description="Bytes of address space that a decoder process may use for one file. They are added to what "
        "the process uses before it reads the file, and to the size of the file. The limit works only on Linux.",
    )
    cpu_s: int = Field(
        default=60,
        ge=1,
        description="Processor time in seconds that the decoding of one file may take. Two hours of Opus take "
        "about 15 s on a server core of 2023.",
    )
    wall_s: float = Field(
        default=120,
        gt=0,
        description="Longest total time in seconds that the reader waits for the decoder of one file. The time that "
        "the reader itself takes between two blocks does not count, so a slow recogniser does not cause an error.",
    )


def decode_limits(settings: "AudioSettings") -> DecodeLimits:
    """Return the limits from the settings."""
    return DecodeLimits(
        max_duration_s=settings.max_duration_s,
        memory_bytes=settings.decode_memory_mb * _MIB,
        cpu_s=settings.decode_cpu_s,
        wall_s=settings.decode_wall_s,
    )
