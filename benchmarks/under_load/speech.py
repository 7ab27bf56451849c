"""The recordings of the callers: the sample messages, and hours of repetitions."""

from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import SAMPLE_RATE_HZ

_RATE_HZ = 48_000

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.ogg"))


def decoded(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the samples of a file."""
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))


def recording(length_s: int) -> bytes:
    """Return the sample messages, repeated packet by packet, as Ogg/Opus."""
    packets, step = _encoded()
    buffer = BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = _stream(container)
        for number in range(length_s * _RATE_HZ // step):
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = stream, Fraction(1, _RATE_HZ)
            packet.pts = packet.dts = number * step
            packet.duration = step
            container.mux(packet)
    return buffer.getvalue()


@cache
def _encoded() -> tuple[list[bytes], int]:
    """Packets of all sample messages, and samples of a packet."""
    samples = np.concatenate([decoded(path) for path in SAMPLES])
    frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    with av.open(BytesIO(), "w", format="ogg") as container:
        stream = _stream(container)
        packets = [
            bytes(packet)
            for part in [*av.AudioResampler("s16", "mono", _RATE_HZ).resample(frame), None]
            for packet in stream.encode(part)
        ]
        return packets, stream.codec_context.frame_size


def _stream(container: av.container.OutputContainer) -> av.AudioStream:
    stream = container.add_stream("libopus", rate=_RATE_HZ, layout="mono")
    stream.bit_rate = 24_000
    return stream
