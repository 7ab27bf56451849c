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
        description="Longest recording in seconds, counted in decoded samples; the header is not believed. "
        "Up to here blocks are given out, then AudioTooLongError is raised.",
    )
    memory_bytes: int = Field(
        default=384 * _MIB,
        ge=16 * _MIB,
        description="Address space in bytes that a decoder process may take beyond what it has before it sees the "
        "file and beyond the file itself. Only Linux enforces it.",
    )
    cpu_s: int = Field(
        default=60,
        ge=1,
        description="Processor seconds for one file. Two hours of Opus take about 15 on a 2023 server core.",
    )
    wall_s: float = Field(
        default=120,
        gt=0,
        description="Seconds that the reader waits for the decoder, all waits for one file added up. The time that "
        "the reader itself takes between two blocks is not counted: a slow recogniser harms no file.",
    )


def decode_limits(settings: "AudioSettings") -> DecodeLimits:
    """Return the limits from the settings."""
    return DecodeLimits(
        max_duration_s=settings.max_duration_s,
        memory_bytes=settings.decode_memory_mb * _MIB,
        cpu_s=settings.decode_cpu_s,
        wall_s=settings.decode_wall_s,
    )
