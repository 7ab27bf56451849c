"""Frames of MPEG audio (MP3) and of AAC in ADTS: formats that have no header, only frames one after another.

Two bytes of sync are found by chance in any file, so a stream is believed only when each frame's length leads to the
next frame with the same parameters.
"""

from collections.abc import Callable
from typing import TypeAlias

_Bytes: TypeAlias = bytes | bytearray | memoryview
# (length of the frame in bytes, what must be equal in all frames of a stream)
_Frame: TypeAlias = tuple[int, tuple[int, ...]]

_FRAMES_BELIEVED = 3
# A recording cut out of a broadcast starts in the middle of a frame; the longest frame has 1,441 bytes (MP3) or 8,191.
_SEARCH_BYTES = 8192

_BITRATES_KBPS = {
    # (MPEG-1?, layer): table of the 4-bit index; 0 is "free", 15 is forbidden.
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def skip_id3(data: _Bytes) -> int:
    """Offset of the first byte after all leading ID3v2 tags and the zeros that pad them; 0 if there is no tag."""
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


def is_mpeg_audio_stream(data: _Bytes, start: int) -> bool:
    """Whether MPEG audio frames (layer 1, 2 or 3) follow one another near `start`."""
    return _is_stream(data, start, _mpeg_frame)


def is_adts_stream(data: _Bytes, start: int) -> bool:
    """Whether AAC frames with ADTS headers follow one another near `start`."""
    return _is_stream(data, start, _adts_frame)


def _is_stream(data: _Bytes, start: int, frame_at: Callable[[bytes], _Frame | None]) -> bool:
    window = bytes(data[start : start + _SEARCH_BYTES])
    at = window.find(b"\xff")
    while at >= 0:
        if _follow_one_another(data, start + at, frame_at, may_be_few=at == 0):
            return True
        at = window.find(b"\xff", at + 1)
    return False


def _follow_one_another(data: _Bytes, at: int, frame_at: Callable[[bytes], _Frame | None], *, may_be_few: bool) -> bool:
    """Whether three frames of one kind start at `at`; where allowed, fewer if the file ends exactly after them."""
    first: _Frame | None = None
    for _ in range(_FRAMES_BELIEVED):
        frame = frame_at(bytes(data[at : at + 8]))
        if frame is None or (first is not None and frame[1] != first[1]):
            return False
        first = first or frame
        at += frame[0]
        if at == len(data) and may_be_few:
            return True
    return True


def _mpeg_frame(header: bytes) -> _Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the sync word
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate_index, rate_index, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in _RATES_HZ or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:  # noqa: PLR2004 - reserved
        return None
    is_mpeg1 = version == 3  # noqa: PLR2004 - the code of MPEG-1
    bits_per_s = _BITRATES_KBPS[is_mpeg1, layer][bitrate_index] * 1000
    rate_hz = _RATES_HZ[version][rate_index]
    if layer == 1:
        length = (12 * bits_per_s // rate_hz + padding) * 4
    else:
        samples_by_8 = 144 if layer == 2 or is_mpeg1 else 72  # noqa: PLR2004 - layer 2
        length = samples_by_8 * bits_per_s // rate_hz + padding
    return length, (version, layer, rate_index)


def _adts_frame(header: bytes) -> _Frame | None:
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - the sync word
        return None
    rate_index = header[2] >> 2 & 15
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate_index > 12 or length < 7:  # noqa: PLR2004 - reserved rates; a frame has at least its header
        return None
    return length, (header[1], header[2] >> 6, rate_index)
