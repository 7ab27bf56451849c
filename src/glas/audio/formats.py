"""Which container the bytes are, judged by the bytes alone.

Neither the file name nor the Content-Type is asked: both are the sender's words. The answer forces FFmpeg's demuxer, so
that no text format (HLS, DASH, SDP, ffconcat), which would make FFmpeg open other files or addresses, is ever reached.
"""

from dataclasses import dataclass
from enum import Enum

from glas.audio.mpeg import is_adts_stream, is_mpeg_audio_stream, skip_id3
from glas.domain.errors import EmptyAudioError, UnsupportedFormatError


@dataclass(frozen=True, slots=True)
class Container:
    """What a container is called by others.

    Attributes:
        demuxer: FFmpeg's name for the reader of it.
        extension: file extension without the dot, for object keys.
        media_type: for HTTP.
    """

    demuxer: str
    extension: str
    media_type: str


class AudioFormat(Enum):
    """The containers that are accepted."""

    OGG = Container("ogg", "ogg", "audio/ogg")
    MP3 = Container("mp3", "mp3", "audio/mpeg")
    M4A = Container("mov", "m4a", "audio/mp4")
    MP4 = Container("mov", "mp4", "video/mp4")
    AAC = Container("aac", "aac", "audio/aac")
    WAV = Container("wav", "wav", "audio/wav")
    FLAC = Container("flac", "flac", "audio/flac")
    WEBM = Container("matroska", "webm", "audio/webm")
    MATROSKA = Container("matroska", "mkv", "video/x-matroska")
    AMR = Container("amr", "amr", "audio/amr")
    AIFF = Container("aiff", "aiff", "audio/aiff")
    CAF = Container("caf", "caf", "audio/x-caf")

    @property
    def demuxer(self) -> str:
        """FFmpeg's name for the reader of this container."""
        return self.value.demuxer

    @property
    def extension(self) -> str:
        """File extension without the dot."""
        return self.value.extension

    @property
    def media_type(self) -> str:
        """Media type for HTTP."""
        return self.value.media_type


ACCEPTED = "Ogg, MP3, M4A/MP4, AAC, WAV, FLAC, WebM/Matroska, AMR, AIFF, CAF"

_LOOK_BYTES = 512

# What people send by mistake or by malice, so that the refusal can name it. Text is compared in lower case.
_STRANGERS_TEXT = (
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
_STRANGERS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"FLV\x01", "a Flash video"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def sniff(data: bytes | bytearray | memoryview) -> AudioFormat:
    """Name the container of `data`.

    Args:
        data: the whole file; only its first kilobytes are looked at, and what an ID3 tag stands before.

    Returns:
        The container; whether its content decodes is not yet known.

    Raises:
        EmptyAudioError: there are no bytes.
        UnsupportedFormatError: the magic bytes belong to no accepted container; the message says what they look like.
    """
    if not len(data):
        raise EmptyAudioError("The file is empty: 0 bytes")
    found = _by_magic(bytes(data[:_LOOK_BYTES])) or _by_frames(data)
    if found is None:
        raise UnsupportedFormatError(f"The file {_described(bytes(data[:_LOOK_BYTES]))}; accepted are {ACCEPTED}")
    return found


def _by_magic(head: bytes) -> AudioFormat | None:
    """The container by its fixed first bytes; None where it has none."""
    found = None
    if head.startswith(b"OggS"):
        found = AudioFormat.OGG
    elif head.startswith(b"fLaC"):
        found = AudioFormat.FLAC
    elif head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        found = AudioFormat.WAV
    elif head[4:8] == b"ftyp":
        found = AudioFormat.M4A if head[8:11] in (b"M4A", b"M4B") else AudioFormat.MP4
    elif head.startswith(b"\x1a\x45\xdf\xa3"):
        found = AudioFormat.WEBM if b"webm" in head[:64] else AudioFormat.MATROSKA
    elif head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        found = AudioFormat.AMR
    elif head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        found = AudioFormat.AIFF
    elif head.startswith(b"caff\x00\x01"):
        found = AudioFormat.CAF
    return found


def _by_frames(data: bytes | bytearray | memoryview) -> AudioFormat | None:
    """The formats without a header: they are known by frames that follow one another, perhaps after an ID3 tag."""
    start = skip_id3(data)
    if start and bytes(data[start : start + 4]) == b"fLaC":
        return AudioFormat.FLAC
    if is_adts_stream(data, start):
        return AudioFormat.AAC
    if is_mpeg_audio_stream(data, start):
        return AudioFormat.MP3
    return None


def _described(head: bytes) -> str:
    """What the first bytes look like, for a person to read."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _STRANGERS_TEXT:
        if text.startswith(magic):
            # A manifest and an SVG picture usually stand behind an XML declaration.
            if magic == b"<?xml":
                name = "a DASH manifest" if b"<mpd" in text else name  # noqa: PLW2901 - a better name for the same thing
            return f"looks like {name}"
    for magic, name in _STRANGERS:
        if head.startswith(magic):
            return f"looks like {name}"
    if head[:4] == b"RIFF":
        return f"is a RIFF file of kind {head[8:12]!r}, not WAVE"
    if head[:3] == b"ID3":
        return "has an ID3 tag and no MPEG audio after it"
    return f"starts with the bytes {head[:8].hex(' ')}, which belong to no known audio container"
