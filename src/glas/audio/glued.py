"""Split a file that contains several recordings one after another.

Web radios and some recorders write chained Ogg files. WAV, FLAC and WebM files with several recordings are made by
programs that join files byte by byte. FFmpeg reads the first recording, and continues with the next recording only if
both have the same encoding. Therefore the recordings are separated here and decoded one by one.
"""

import re
from typing import Final

from glas.domain.errors import CorruptAudioError

MAX_PARTS: Final = 256
"""Largest number of recordings in one file. The number is limited because each recording takes time to open."""

# The beginning of a page in an Ogg file. The group of the pattern is a byte of flags; one flag marks the first page of
# a stream.
_OGG_PAGE: Final = re.compile(rb"OggS\0([\0-\x07])", re.DOTALL)
_FIRST_PAGE: Final = 0x02
# For the first bytes of a file: the pattern with which each of its recordings begins. The patterns are so long that
# they do not occur in sound by chance.
_HEADERS: Final = (
    (b"RIFF", re.compile(rb"RIFF....WAVE(?:fmt |JUNK|bext|LIST)", re.DOTALL)),
    (b"fLaC", re.compile(rb"fLaC\0\0\0\x22")),
    (b"\x1a\x45\xdf\xa3", re.compile(rb"\x1a\x45\xdf\xa3[\x80-\xff\x01].{0,60}?\x42\x82.(?:webm|matroska)", re.DOTALL)),
)


def parts(data: bytes) -> list[bytes]:
    """Return the recordings in `data`, in order; `[data]` if there is only one.

    Raises:
        CorruptAudioError: there are more recordings than `MAX_PARTS`.
    """
    starts = _ogg_starts(data) if data.startswith(b"OggS") else _header_starts(data)
    if len(starts) > MAX_PARTS:
        raise CorruptAudioError(f"The file is a chain of more than {MAX_PARTS} recordings")
    if len(starts) <= 1:
        return [data]
    return [data[start:end] for start, end in zip([0, *starts[1:]], [*starts[1:], len(data)], strict=True)]


def _ogg_starts(data: bytes) -> list[int]:
    """Return the offsets of chained Ogg recordings.

    A recording may have several streams. At the beginning of the recording, the first pages of all its streams follow
    each other. So a first page begins a recording only if the page before it is not the first page of a stream.
    """
    starts: list[int] = []
    was_first = False
    for page in _OGG_PAGE.finditer(data):
        is_first = bool(page[1][0] & _FIRST_PAGE)
        if is_first and not was_first:
            starts.append(page.start())
            if len(starts) > MAX_PARTS:
                break
        was_first = is_first
    return starts


def _header_starts(data: bytes) -> list[int]:
    """Return the offsets of the recordings in a WAV, FLAC, WebM or Matroska file."""
    starts: list[int] = []
    for magic, header in _HEADERS:
        if data.startswith(magic):
            for found in header.finditer(data):
                starts.append(found.start())
                if len(starts) > MAX_PARTS:
                    break
    return starts
