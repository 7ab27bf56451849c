"""The accepted container formats: their names, their first bytes, and error messages for all other files.

FFmpeg detects the container of a file in a confined process (`glas.audio.decode`). FFmpeg may use only the containers
in `AudioFormat`. Text formats (HLS, DASH, SDP, ffconcat) are not accepted, because such files make FFmpeg open other
files or addresses. The format that `sniff` returns is used only for storage and for error messages. File name and
Content-Type are ignored, because the sender chooses them.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from glas.domain.errors import EmptyAudioError, UnsupportedFormatError

Bytes: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Container:
    """A container format.

    Attributes:
        demuxer: FFmpeg's name of the demuxer that reads this format.
        extension: file extension without the dot, for keys of the object store.
        media_type: the media type for the HTTP header `Content-Type`, such as `audio/ogg`.
        beginning: regular expression that matches the first bytes of a file in this format.
    """

    demuxer: str
    extension: str
    media_type: str
    beginning: bytes


class AudioFormat(Enum):
    """The accepted containers.

    If a file matches the patterns of several containers, its format is the first of these containers.
    """

    OGG = Container("ogg", "ogg", "audio/ogg", rb"OggS")
    FLAC = Container("flac", "flac", "audio/flac", rb"fLaC")
    WAV = Container("wav", "wav", "audio/wav", rb"(?:RIFF|RF64|BW64)....WAVE")
    M4A = Container("mov", "m4a", "audio/mp4", rb"....ftypM4[AB]")
    MP4 = Container("mov", "mp4", "video/mp4", rb"....ftyp")
    MOV = Container("mov", "mov", "video/quicktime", rb"....(?:moov|mdat|wide|free|skip|pnot)")
    WEBM = Container("matroska", "webm", "audio/webm", rb"\x1a\x45\xdf\xa3.{0,60}?webm")
    MATROSKA = Container("matroska", "mkv", "video/x-matroska", rb"\x1a\x45\xdf\xa3")
    AMR = Container("amr", "amr", "audio/amr", rb"#!AMR(?:-WB)?\n")
    AIFF = Container("aiff", "aiff", "audio/aiff", rb"FORM....AIF[FC]")
    CAF = Container("caf", "caf", "audio/x-caf", rb"caff\0\x01")
    AU = Container("au", "au", "audio/basic", rb"\.snd")
    W64 = Container("w64", "w64", "audio/x-w64", rb"riff\x2e\x91\xcf\x11")
    AVI = Container("avi", "avi", "video/x-msvideo", rb"RIFF....AVI")
    ASF = Container("asf", "wma", "audio/x-ms-wma", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11")
    FLV = Container("flv", "flv", "video/x-flv", rb"FLV\x01")
    MPEG_PS = Container("mpeg", "mpg", "video/mpeg", rb"\0\0\x01\xba")
    MPEG_TS = Container("mpegts", "ts", "video/mp2t", rb"(?:....)?G.{187}(?:....)?G")
    AAC = Container("aac", "aac", "audio/aac", rb"\xff[\xf0\xf1\xf8\xf9]")
    MP3 = Container("mp3", "mp3", "audio/mpeg", rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]")

    @property
    def extension(self) -> str:
        """File extension without the dot."""
        return self.value.extension

    @property
    def media_type(self) -> str:
        """Media type for HTTP."""
        return self.value.media_type


DEMUXERS: Final = ",".join(sorted({one.value.demuxer for one in AudioFormat}))
"""FFmpeg's names of all accepted containers, in the format of its option `format_whitelist`."""

ACCEPTED: Final = (
    "Ogg, MP3, M4A/MP4/MOV, AAC, WAV, W64, FLAC, WebM/Matroska, AMR, AIFF, CAF, AU, AVI, WMA/WMV, FLV, MPEG-PS/TS"
)

_LOOK_BYTES: Final = 512
_BEGINNINGS: Final = tuple((one, re.compile(one.value.beginning, re.DOTALL)) for one in AudioFormat)
# A recording that was cut out of a broadcast may start in the middle of a frame. So the pattern looks for the headers
# of two frames of the same kind; a frame has at most 1,441 bytes.
_MPEG_FRAMES: Final = re.compile(rb"(\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff])[\x10-\xef].{21,1441}?\1[\x10-\xef]", re.DOTALL)
_SEARCH_BYTES: Final = 8192

# Other formats that people send by mistake or by malice, with their names for the error message. Text is compared in
# lower case.
_STRANGERS_TEXT: Final = (
    (b"#extm3u", "an HLS playlist"),
    (b"ffconcat", "an ffconcat script"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<mpd", "a DASH manifest"),
    (b"<svg", "an SVG picture"),
    (b"<?xml", "an XML document"),
    (b"v=0", "an SDP session description"),
    (b"[playlist]", "a PLS playlist"),
    (b"{", "a JSON document"),
)
_STRANGERS: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def sniff(data: Bytes) -> AudioFormat:
    """Return the container format of `data` by its first bytes; the content is not decoded.

    Args:
        data: the whole file; only its first kilobytes after the ID3 tags are examined.

    Raises:
        EmptyAudioError: there are no bytes.
        UnsupportedFormatError: the first bytes belong to no accepted container. The error message describes these
            bytes.
    """
    if not len(data):
        raise EmptyAudioError("The file is empty: 0 bytes")
    start = skip_id3(data)
    head = bytes(data[start : start + _LOOK_BYTES])
    for name, beginning in () if _stranger(head) else _BEGINNINGS:
        if beginning.match(head):
            return name
    if _MPEG_FRAMES.search(bytes(data[start : start + _SEARCH_BYTES])):
        return AudioFormat.MP3
    raise UnsupportedFormatError(f"The file {_described(head, has_id3=start > 0)}; accepted are {ACCEPTED}")


def skip_id3(data: Bytes) -> int:
    """Return the offset after all leading ID3v2 tags and the zeros that pad them; 0 if there is no tag."""
    start = 0
    while bytes(data[start : start + 3]) == b"ID3" and len(data) >= start + 10:
        size = 0
        for byte in bytes(data[start + 6 : start + 10]):
            size = size << 7 | byte & 0x7F
        footer = 10 if data[start + 5] & 0x10 else 0
        start += 10 + size + footer
    if start:
        padding = bytes(data[start : start + _SEARCH_BYTES])
        start += len(padding) - len(padding.lstrip(b"\0"))
    return start


def _stranger(head: bytes) -> str | None:
    """Return the name of the file's format, such as "a ZIP archive", if it is known but not accepted; else None."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _STRANGERS_TEXT:
        if text.startswith(magic):
            # A manifest or an SVG picture usually comes after an XML declaration.
            return "a DASH manifest" if magic == b"<?xml" and b"<mpd" in text else name
    return next((name for magic, name in _STRANGERS if head.startswith(magic)), None)


def _described(head: bytes, *, has_id3: bool) -> str:
    """Describe the first bytes for an error message."""
    if (stranger := _stranger(head)) is not None:
        return f"looks like {stranger}"
    if has_id3:
        return "has an ID3 tag and no sound after it"
    if head[:4] == b"RIFF":
        return f"is a RIFF file of kind {head[8:12]!r}, neither WAVE nor AVI"
    return f"starts with the bytes {head[:8].hex(' ')}, which belong to no known audio container"
