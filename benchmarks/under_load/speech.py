"""What callers send: the sample messages, and hours of them."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.domain.transcription import SAMPLE_RATE_HZ

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.ogg"))


def decoded(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The samples of a file."""
    return np.concatenate(list(decode_blocks(path.read_bytes(), DecodeLimits())))


def recording(length_s: int) -> bytes:
    """The sample messages over and over as Ogg/Opus; encoded once and repeated packet by packet."""
    samples = np.concatenate([decoded(path) for path in SAMPLES])
    buffer = BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = 24_000
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        packets = [
            bytes(packet)
            for part in [*av.AudioResampler("s16", "mono", 48_000).resample(frame), None]
            for packet in stream.encode(part)
        ]
        step = stream.codec_context.frame_size
        for number in range(length_s * 48_000 // step):
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = stream, Fraction(1, 48_000)
            packet.pts = packet.dts = number * step
            packet.duration = step
            container.mux(packet)
    return buffer.getvalue()
