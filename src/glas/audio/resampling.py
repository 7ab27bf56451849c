"""Convert decoded frames of any sample rate and channel layout to 16 kHz mono, in blocks of one second."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import av
import av.filter
import numpy as np
import numpy.typing as npt

from glas.domain.errors import CorruptAudioError
from glas.domain.samples import SAMPLE_RATE_HZ, Samples

BLOCK_SAMPLES = SAMPLE_RATE_HZ  # one second

MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 384_000
MAX_CHANNELS = 16

# Between two frames, a shorter time without sound is not a gap. Such times come from recorders, or from containers that
# count in milliseconds.
_GAP_S = 0.25
# A channel is not counted in the average if its power is below this share (-20 dB) of the power of the loudest channel.
_HEARD_SHARE = 0.01
# Channels cancel each other if the power of their mix is below this share (-6 dB) of the power that a mix of unrelated
# channels would have.
_CANCELLED_SHARE = 0.25


class TimedFrame(NamedTuple):
    """A decoded frame, and its time in seconds from the beginning of the file.

    The time is None if the file states no time for the frame.
    """

    at_s: float | None
    frame: Any


def resampled(frames: Iterable[TimedFrame], *, longest_s: float) -> Iterator[Samples]:
    """Convert frames to samples at 16 kHz mono; sample format, channel layout and rate may change between frames.

    Args:
        frames: the decoded frames, in order of time.
        longest_s: longest permitted recording, seconds. A gap that ends after this time is not filled with silence.
    """
    timeline = _Timeline(longest_s)
    converter: _Converter | None = None
    kind = None
    for at_s, frame in frames:
        changed = kind != (frame.format.name, frame.layout.name, frame.sample_rate)
        if changed:
            _check_kind(frame)
        gap_s = timeline.advance(at_s, frame.samples / frame.sample_rate)
        if converter is not None and (changed or gap_s):
            yield from converter.drain()
            converter = None
        yield from _silence(gap_s)
        if converter is None:
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            converter = _Converter(frame)
        yield from converter.take(frame)
    if converter is not None:
        yield from converter.drain()


class _Timeline:
    """Finds the gaps in a file: where its sound begins late or stops for a while.

    A time stamp is considered wrong if it is earlier than the end of the previous frame, or later than the longest
    permitted duration. Before a frame with a wrong time stamp, no silence is inserted. Such a frame follows the
    previous frame directly, and all later time stamps are shifted by the same number of seconds.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._at_s = 0.0
        self._shift_s = 0.0

    def advance(self, stamp_s: float | None, length_s: float) -> float:
        """Return the seconds of silence that must come before the next frame.

        Args:
            stamp_s: time of the frame, seconds from the beginning of the file; None if the file states no time.
            length_s: duration of the frame, seconds.
        """
        gap_s = 0.0
        if stamp_s is not None:
            ahead_s = stamp_s + self._shift_s - self._at_s
            if ahead_s >= _GAP_S and self._at_s + ahead_s < self._longest_s:
                gap_s = ahead_s
            elif abs(ahead_s) >= _GAP_S:
                self._shift_s -= ahead_s
        self._at_s += gap_s + length_s
        return gap_s


def _silence(seconds: float) -> Iterator[Samples]:
    left = round(seconds * SAMPLE_RATE_HZ)
    while left > 0:
        yield np.zeros(min(left, BLOCK_SAMPLES), np.float32)
        left -= BLOCK_SAMPLES


class _Converter:
    """Converts frames of one format to samples.

    FFmpeg's filter does the conversion. It is called for each second of sound and not for each frame, because every
    call has a fixed cost.
    """

    def __init__(self, like: Any) -> None:
        self._rate_hz = like.sample_rate
        self._n_channels = like.layout.nb_channels
        self._gathered = av.AudioFifo()
        self._graph = _to_16_khz(like)
        self._chosen = 0

    def take(self, frame: Any) -> Iterator[Samples]:
        # `_Timeline` has found the gaps, from the times of the frames. Here all frames follow each other without a gap.
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
        """Pass a frame to the filter, and yield the samples that the filter returns.

        If `frame` is None, the filter returns the samples that are still in its buffer.
        """
        self._graph.push(frame)
        while True:
            try:
                out = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            count = out.samples * self._n_channels
            channels = np.frombuffer(out.planes[0], dtype=np.float32, count=count).reshape(-1, self._n_channels)
            yield self._mixed(channels)

    def _mixed(self, channels: npt.NDArray[np.float32]) -> Samples:
        """Mix channels of shape `(n, n_channels)` to one channel of shape `(n,)`.

        The sum of all channels is divided by the number of channels that are at most 20 dB below the loudest channel.
        So a voice in one of six channels keeps its level. If the channels cancel each other, the loudest channel is
        returned instead. This happens, for instance, if a cable inverts the phase of one channel.
        """
        if self._n_channels == 1 or not len(channels):
            return channels[:, 0]
        # Samples that are NaN or infinite are refused later, with a message.
        with np.errstate(all="ignore"):
            powers = np.mean(np.square(channels, dtype=np.float64), axis=0)
            n_heard = max(int(np.count_nonzero(powers > powers.max() * _HEARD_SHARE)), 1)
            mix: Samples = channels.sum(axis=1) / np.float32(n_heard)
            if np.mean(np.square(mix, dtype=np.float64)) >= powers.sum() / n_heard**2 * _CANCELLED_SHARE:
                return mix
            # Keep the channel that was chosen before, unless another channel is clearly louder: a change of the channel
            # can cause a click.
            if powers[self._chosen] < powers.max() / 2:
                self._chosen = int(np.argmax(powers))
        return channels[:, self._chosen]


def _to_16_khz(like: Any) -> Any:
    """Make FFmpeg's filter that converts frames of the format of `like` to float32 at 16 kHz.

    The filter keeps all channels, interleaved.

    PyAV's own resampler starts a thread for every core, which a confined process may not do.
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
        graph.add("aformat", sample_rates=str(SAMPLE_RATE_HZ), sample_fmts="flt"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _check_kind(frame: Any) -> None:
    """Refuse extreme sample rates and numbers of channels.

    For example, if a file has a rate of 1 Hz, each of its samples would become 16,000 samples.
    """
    if not MIN_RATE_HZ <= frame.sample_rate <= MAX_RATE_HZ:
        raise CorruptAudioError(
            f"Expected a sample rate of {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, got {frame.sample_rate} Hz"
        )
    if not 1 <= frame.layout.nb_channels <= MAX_CHANNELS:
        raise CorruptAudioError(f"Expected 1 to {MAX_CHANNELS} channels, got {frame.layout.nb_channels}")


def in_blocks(pieces: Iterable[Samples]) -> Iterator[Samples]:
    """Regroup arrays of samples of any length into blocks of one second; the last block may be shorter."""
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
    """Refuse NaN and infinity; clip samples to -1..1, because lossy codecs produce slightly larger values."""
    if not np.isfinite(block).all():
        raise CorruptAudioError("The recording contains samples that are not finite numbers")
    return np.clip(block, -1.0, 1.0)
