"""Links of a chained Ogg file.

An Ogg file may be several recordings one behind the other; web radios and some recorders write such. FFmpeg goes on
into the next link only if it is coded exactly as the one before, so links are told apart here and decoded one by one.
"""

from glas.domain.errors import CorruptAudioError

_CAPTURE = b"OggS"
_HEADER_BYTES = 27
_FLAGS_AT, _N_SEGMENTS_AT = 5, 26
_BEGINS = 0x02

MAX_LINKS = 256


def links(data: bytes) -> list[bytes]:
    """The recordings in `data`, in order; `[data]` itself if there is only one.

    Raises:
        CorruptAudioError: there are more than `MAX_LINKS`; opening each costs time.
    """
    starts = _starts(data)
    if len(starts) > MAX_LINKS:
        raise CorruptAudioError(f"The OGG file is a chain of more than {MAX_LINKS} recordings")
    if len(starts) <= 1:
        return [data]
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _starts(data: bytes) -> list[int]:
    """Where links start: at a first page of a stream that follows a page which is none."""
    starts: list[int] = []
    was_begin = False
    at = data.find(_CAPTURE)
    while 0 <= at <= len(data) - _HEADER_BYTES and len(starts) <= MAX_LINKS:
        is_begin = bool(data[at + _FLAGS_AT] & _BEGINS)
        if is_begin and not was_begin:
            starts.append(at)
        was_begin = is_begin
        body_at = at + _HEADER_BYTES + data[at + _N_SEGMENTS_AT]
        # Searched for rather than expected there: in a damaged file the lengths are wrong.
        at = data.find(_CAPTURE, body_at + sum(data[at + _HEADER_BYTES : body_at]))
    return starts
