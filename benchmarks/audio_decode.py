"""Measure the work before recognition of a voice message: decoding in a confined process, and speech detection.

Processor time is counted in both processes: the reader's own, and the warden's with all its ended decoders. Beside it,
in the same run and interleaved with it, faster-whisper decodes the same bytes in its own process without confinement,
and finds the speech in all of them at once; a ratio under 1 means that we are cheaper. The machine may be shared: read
the ratios and the medians.

    python benchmarks/audio_decode.py [ROUNDS]
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from faster_whisper.audio import decode_audio
from faster_whisper.vad import get_speech_timestamps

from glas.audio.decode import decode_blocks
from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.audio.segmentation import SegmentationOptions, VoiceActivityDetector, segment_speech
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.ogg"))
CLIPS_S = (4, 10, 60)
OPUS_RATE_HZ = 48_000
OPUS_BITS_PER_S = 24_000
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def clip(duration_s: int) -> bytes:
    """Return the sample messages, joined and repeated, as Ogg/Opus of 24 kbit/s."""
    pieces = [block for path in SAMPLES for block in decode_blocks(path.read_bytes(), DecodeLimits())]
    speech = np.resize(np.concatenate(pieces), duration_s * SAMPLE_RATE_HZ)
    file = BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE_HZ, layout="mono")
        stream.bit_rate = OPUS_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(speech[None], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        resampler = av.AudioResampler("s16", "mono", OPUS_RATE_HZ, frame_size=960)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))
    return file.getvalue()


def family_cpu_s(pid: int) -> float:
    """Processor seconds of a process and of its ended children; counted by the kernel in hundredths."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * TICK_S


def own_cpu_ms(work: Callable[[], object]) -> float:
    """Processor milliseconds of this process for one call."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def through_pool(pool: DecoderPool, data: bytes) -> list[Samples]:
    """Return all blocks of a file."""
    with pool.open(data) as recording:
        return list(recording)


def measure(pool: DecoderPool, vad: VoiceActivityDetector, duration_s: int, rounds: int) -> None:
    """Print one line for clips of `duration_s`."""
    data = clip(duration_s)
    blocks = through_pool(pool, data)
    samples = np.concatenate(blocks)
    (worker,) = pool._alive  # noqa: SLF001 - its process is what is measured
    before_s = family_cpu_s(worker.pid)
    figures: dict[str, list[float]] = {"reader": [], "wall": [], "peer": [], "vad": [], "peer vad": []}
    for _ in range(rounds):
        started = time.perf_counter()
        figures["reader"].append(own_cpu_ms(lambda: through_pool(pool, data)))
        figures["wall"].append((time.perf_counter() - started) * 1000)
        figures["peer"].append(own_cpu_ms(lambda: decode_audio(BytesIO(data))))
        figures["vad"].append(own_cpu_ms(lambda: list(segment_speech(blocks, vad, SegmentationOptions()))))
        figures["peer vad"].append(own_cpu_ms(lambda: get_speech_timestamps(samples.copy())))
    child_ms = (family_cpu_s(worker.pid) - before_s) * 1000 / rounds
    median = {name: statistics.median(values) for name, values in figures.items()}
    decode_ms = median["reader"] + child_ms
    print(
        f"{duration_s:4} s  decode {decode_ms:6.1f} ms (reader {median['reader']:.1f}, child {child_ms:.1f}; wall "
        f"{median['wall']:.0f})  peer {median['peer']:6.1f}  ratio {decode_ms / median['peer']:.2f}   "
        f"vad {median['vad']:6.1f} ms  peer {median['peer vad']:6.1f}  ratio {median['vad'] / median['peer vad']:.2f}"
    )


def main() -> None:
    """Measure all clips."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    vad = VoiceActivityDetector()
    print(f"processor milliseconds per clip, {rounds} rounds; {os.cpu_count()} cores")
    with DecoderPool(1, DecodeLimits()) as pool:
        for duration_s in CLIPS_S:
            measure(pool, vad, duration_s, rounds)


if __name__ == "__main__":
    main()
