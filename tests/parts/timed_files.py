"""Make files with sound at given seconds, in several tracks and channels."""

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple

import av
import numpy as np
from av.stream import Disposition

from tests.parts.recordings import Sound

RATE_HZ = 48_000


class Piece(NamedTuple):
    """Sound of one track, shape `(n_channels, n_samples)`, and the second at which it starts."""

    at_s: float
    sound: Sound


def wav(channels: Sequence[Sound], layout: str) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout=layout)
        sound = (np.stack(channels, axis=1).reshape(1, -1) * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound, format="s16", layout=layout)
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def timed(muxer: str, coder: str, *tracks: Sequence[Piece], picture: bool = False, default: int = 0) -> bytes:
    """Make a file with tracks of sound whose pieces begin at given seconds, optionally with a picture at second 0."""
    file = BytesIO()
    with av.open(file, "w", format=muxer) as container:
        film_stream = _picture(container) if picture else None
        streams: list[Any] = [container.add_stream(coder, rate=RATE_HZ, layout="mono") for _ in tracks]
        for index, stream in enumerate(streams):
            stream.disposition = Disposition.default if index == default else Disposition(0)
        packets = [] if film_stream is None else _pictures(film_stream)
        for stream, pieces in zip(streams, tracks, strict=True):
            packets += [packet for frame in _frames(stream, pieces) for packet in stream.encode(frame)]
            packets += [packet for packet in stream.encode(None) if packet.size]
        for packet in packets:
            container.mux(packet)
    return file.getvalue()


def _frames(stream: Any, pieces: Sequence[Piece]) -> list[Any]:
    stream.codec_context.open(strict=False)
    length = stream.codec_context.frame_size or 1024
    made = []
    for at_s, sound in pieces:
        for start in range(0, len(sound) - length + 1, length):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + length], format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
            frame.pts = round(at_s * RATE_HZ) + start
            made.append(frame)
    return made


def _picture(container: Any) -> Any:
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def _pictures(stream: Any) -> list[Any]:
    frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    return [*stream.encode(frame), *stream.encode(None)]
