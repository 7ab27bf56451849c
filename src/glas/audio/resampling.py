"""Frames of whatever kind become samples at 16 kHz mono, in blocks of one second; what is no sound is refused."""

from collections.abc import Iterable, Iterator
from typing import Any

import av
import av.filter
import numpy as np

from glas.domain.errors import CorruptAudioError
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

BLOCK_SAMPLES = SAMPLE_RATE_HZ  # one second

MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 384_000
MAX_CHANNELS = 8


def resampled(frames: Iterable[Any]) -> Iterator[Samples]:
    """Samples at 16 kHz mono; a new converter whenever the frames' kind changes."""
    converter: _Converter | None = None
    kind = None
    for frame in frames:
        if converter is None or kind != (frame.format.name, frame.layout.name, frame.sample_rate):
            if converter is not None:
                yield from converter.drain()
            _check_kind(frame)
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            converter = _Converter(frame)
        yield from converter.take(frame)
    if converter is not None:
        yield from converter.drain()


class _Converter:
    """From frames of one kind to samples; frames are gathered by the second, since each call of the filter costs."""

    def __init__(self, like: Any) -> None:
        self._rate_hz = like.sample_rate
        self._gathered = av.AudioFifo()
        self._graph = _to_samples(like)

    def take(self, frame: Any) -> Iterator[Samples]:
        # Time stamps of strangers are not believed: samples follow one another as the frames do.
        frame.pts = None
        self._gathered.write(frame)
        while self._gathered.samples >= self._rate_hz:
            yield from self._convert(self._gathered.read(self._rate_hz))

    def drain(self) -> Iterator[Samples]:
        rest = self._gathered.read()
        if rest is not None:
            yield from self._convert(rest)
        yield from self._convert(None)

    def _convert(self, frame: Any) -> Iterator[Samples]:
        """Push a frame through the filter; None lets out what the filter still holds."""
        self._graph.push(frame)
        while True:
            try:
                out = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield np.frombuffer(out.planes[0], dtype=np.float32, count=out.samples)


def _to_samples(like: Any) -> Any:
    """FFmpeg's filter from frames like `like` to float32 at 16 kHz mono.

    PyAV's own resampler would start a thread for every core; a confined process cannot, and need not.
    """
    graph = av.filter.Graph()
    if hasattr(graph, "threads"):
        graph.threads = 1
    graph.link_nodes(
        graph.add(
            "abuffer",
            sample_rate=str(like.sample_rate),
            sample_fmt=like.format.name,
            channel_layout=like.layout.name,
            time_base=f"1/{like.sample_rate}",
        ),
        # Without this, channels are added up by their power, and two equal loud ones overshoot full scale.
        graph.add("aresample", rematrix_maxval="1.0"),
        graph.add("aformat", sample_rates=str(SAMPLE_RATE_HZ), sample_fmts="flt", channel_layouts="mono"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _check_kind(frame: Any) -> None:
    """Refuse what the resampler could be made to choke on: one second at 1 Hz would become 16,000 from one sample."""
    if not MIN_RATE_HZ <= frame.sample_rate <= MAX_RATE_HZ:
        raise CorruptAudioError(
            f"Expected a sample rate of {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, got {frame.sample_rate} Hz"
        )
    if not 1 <= frame.layout.nb_channels <= MAX_CHANNELS:
        raise CorruptAudioError(f"Expected 1 to {MAX_CHANNELS} channels, got {frame.layout.nb_channels}")


def in_blocks(pieces: Iterable[Samples]) -> Iterator[Samples]:
    """Put pieces together into blocks of one second; a longer piece is cut."""
    held: list[Samples] = []
    n_held = 0
    for piece in pieces:
        held.append(piece)
        n_held += len(piece)
        if n_held >= BLOCK_SAMPLES:
            joined = np.concatenate(held)
            whole = n_held - n_held % BLOCK_SAMPLES
            for start in range(0, whole, BLOCK_SAMPLES):
                yield _sound(joined[start : start + BLOCK_SAMPLES])
            held, n_held = [joined[whole:]], n_held - whole
    if n_held:
        yield _sound(np.concatenate(held))


def _sound(block: Samples) -> Samples:
    """Refuse NaN and infinity, which would spread through every later sum; cut what a lossy coder overshoots."""
    if not np.isfinite(block).all():
        raise CorruptAudioError("The recording holds samples that are not finite numbers")
    return np.clip(block, -1.0, 1.0)
