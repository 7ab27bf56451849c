"""Decode a file that is held in memory into blocks of samples.

FFmpeg reads only from the bytes given: the demuxer is forced to the one that `formats.sniff` found, other demuxers and
protocols are forbidden by name, and only decoders of sound are allowed, so that a film's pictures are never touched.
Content from strangers is decoded in a process of its own (`decoder`); this module is what runs in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import av
import av.filter

from glas.audio.formats import AudioFormat, sniff
from glas.audio.limits import DecodeLimits
from glas.audio.ogg import links
from glas.audio.resampling import in_blocks, resampled
from glas.domain.errors import (
    AudioTooLongError,
    CorruptAudioError,
    DecodeLimitError,
    EmptyAudioError,
    UnsupportedFormatError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

# FFmpeg's names of the decoders of sound that may be used; the list is given to FFmpeg as it stands.
_DECODERS = (
    "opus,libopus,vorbis,speex,flac,alac,mp3float,mp3,mp2float,mp2,mp1float,mp1,aac,aac_fixed,ac3,eac3,amrnb,"
    "amrwb,gsm,gsm_ms,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)

# Beyond these a file only costs time: sound is described in its first kilobytes.
_PROBE_BYTES = 1_000_000
_PROBE_US = 5_000_000
_MAX_STREAMS = 64
_MAX_READ_FAULTS = 16


def decode_blocks(data: bytes, limits: DecodeLimits) -> Iterator[Samples]:
    """Decode `data` to 16 kHz mono, block by block.

    What can be decoded of a truncated or damaged file is given; a voice message received by half is half a message.

    Args:
        data: the whole file.
        limits: only `max_duration_s` acts here; memory and time are limited by the process (`decoder`).

    Yields:
        Float32 arrays of shape `(n_samples,)`, at most one second each, finite and in -1..1.

    Raises:
        EmptyAudioError: no bytes, or no sample in them.
        UnsupportedFormatError: not an accepted container, or no stream of sound that we decode.
        CorruptAudioError: the content does not decode, or most of it does not.
        AudioTooLongError: more than `limits.max_duration_s` seconds; the blocks up to there were given, unless the
            file itself says how long it is.
        DecodeLimitError: memory ran out.
    """
    yield from decode_file(data, sniff(data), limits)


def decode_file(data: bytes, audio_format: AudioFormat, limits: DecodeLimits) -> Iterator[Samples]:
    """Like `decode_blocks`, for a file whose container is known."""
    most = int(limits.max_duration_s * SAMPLE_RATE_HZ)
    total = 0
    recordings = links(data) if audio_format is AudioFormat.OGG else [data]
    with _ffmpeg_errors_translated(audio_format):
        for block in in_blocks(_decoded(recordings, audio_format, limits)):
            total += len(block)
            if total > most:
                raise AudioTooLongError(f"The recording is longer than {limits.max_duration_s:g} s")
            yield block
    if not total:
        raise EmptyAudioError(f"The {audio_format.name} file holds no sound")


@contextmanager
def _ffmpeg_errors_translated(audio_format: AudioFormat) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:  # FFmpeg's own is one too
        raise DecodeLimitError("Decoding asked for more memory than a file may have") from error
    except av.error.EOFError as error:
        raise CorruptAudioError(f"The {audio_format.name} file ends before its sound begins") from error
    except av.error.FFmpegError as error:
        raise CorruptAudioError(f"The {audio_format.name} file cannot be decoded: {error.strerror}") from error


def _decoded(recordings: list[bytes], audio_format: AudioFormat, limits: DecodeLimits) -> Iterator[Samples]:
    """Samples of all recordings; one that fails is passed over if another succeeds."""
    n_good = 0
    failure: CorruptAudioError | UnsupportedFormatError | None = None
    for recording in recordings:
        try:
            with _ffmpeg_errors_translated(audio_format):
                yield from resampled(_frames(recording, audio_format, limits))
            n_good += 1
        except (CorruptAudioError, UnsupportedFormatError) as error:
            failure = failure or error
    if failure is not None and not n_good:
        raise failure


def _frames(data: bytes, audio_format: AudioFormat, limits: DecodeLimits) -> Iterator[Any]:
    """Decoded frames of the first stream of sound, whatever their rate and layout."""
    container = av.open(
        BytesIO(data),
        mode="r",
        format=audio_format.demuxer,
        container_options={
            "format_whitelist": audio_format.demuxer,
            "protocol_whitelist": "none",
            "codec_whitelist": _DECODERS,
            "probesize": str(_PROBE_BYTES),
            "analyzeduration": str(_PROBE_US),
            "max_streams": str(_MAX_STREAMS),
        },
        # Tags in an old code page must not make a file unreadable.
        metadata_errors="replace",
        io_open=_refuse_to_open,
    )
    with container:
        _refuse_if_it_says_so(container, audio_format, limits)
        yield from _tolerantly_decoded(container, _stream_of_sound(container, audio_format), audio_format)


def _refuse_if_it_says_so(container: Any, audio_format: AudioFormat, limits: DecodeLimits) -> None:
    """Believe a file that calls itself too long: a day of silence is then refused before two hours of it are heard.

    A claim to be short is never believed; samples are counted. Programs that write a WAV into a pipe cannot know its
    length and claim the longest, so WAV is asked for nothing.
    """
    if audio_format is AudioFormat.WAV or container.duration is None:
        return
    claimed_s = container.duration / av.time_base
    if claimed_s > limits.max_duration_s + 1:
        raise AudioTooLongError(f"The recording says it is {claimed_s:.0f} s long; at most {limits.max_duration_s:g} s")


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> Any:
    """FFmpeg asks here for every further file that a container names: there is none."""
    del flags, options
    raise CorruptAudioError(f"The file refers to another one, {url[:80]!r}")


def _stream_of_sound(container: Any, audio_format: AudioFormat) -> Any:
    """The first stream that we decode; pictures, subtitles, attachments and further sound are passed over."""
    accepted = _DECODERS.split(",")
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.codec.name in accepted:
            # One file, one processor: threads would let one stranger's file take the whole machine.
            stream.codec_context.thread_count = 1
            return stream
    if container.streams.audio:
        raise UnsupportedFormatError(f"The {audio_format.name} file's sound is coded in a way that is not accepted")
    raise UnsupportedFormatError(f"The {audio_format.name} file has no stream of sound")


def _tolerantly_decoded(container: Any, stream: Any, audio_format: AudioFormat) -> Iterator[Any]:
    """Frames of `stream`; packets that do not decode are passed over while they are the smaller part."""
    decoded = damaged = 0
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.error.FFmpegError:
            damaged += 1
            continue
        decoded += bool(frames)
        yield from frames
    if damaged > decoded:
        parts = damaged + decoded
        raise CorruptAudioError(f"The {audio_format.name} file is damaged: {damaged} of {parts} parts do not decode")


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Packets of `stream`; reading goes on behind a damaged place, a few times."""
    for _ in range(_MAX_READ_FAULTS):
        try:
            yield from container.demux(stream)
        except MemoryError:
            raise
        except av.error.FFmpegError:
            continue
        return
