"""Decode the bytes of a file to blocks of samples.

FFmpeg detects the container from the bytes of the file. FFmpeg may use only the containers and audio decoders that Glas
lists, and no network protocol. So FFmpeg never opens another file and never decodes a picture. Files are untrusted, so
this module runs in confined processes, which `glas.audio.decoder` starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from glas.audio.formats import DEMUXERS, skip_id3, sniff
from glas.audio.glued import parts
from glas.audio.limits import DecodeLimits
from glas.audio.resampling import TimedFrame, in_blocks, resampled
from glas.domain.errors import (
    AudioError,
    AudioTooLongError,
    CorruptAudioError,
    DecodeLimitError,
    EmptyAudioError,
    NoSoundTrackError,
    UnsupportedFormatError,
)
from glas.domain.samples import SAMPLE_RATE_HZ, Samples

# FFmpeg's names of the audio decoders that may be used. The list is passed to FFmpeg unchanged.
_DECODERS = (
    "opus,libopus,vorbis,speex,flac,alac,mp3float,mp3,mp2float,mp2,mp1float,mp1,aac,aac_fixed,aac_latm,ac3,eac3,amrnb,"
    "amrwb,gsm,gsm_ms,ilbc,g722,g726,g726le,g723_1,g729,nellymoser,wmav1,wmav2,wmapro,wmavoice,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,adpcm_swf,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_bluray,pcm_dvd,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)

# FFmpeg looks for the description of the sound only within these limits. The description is in the first kilobytes of a
# file; a longer search would only take time.
_PROBE_BYTES = 1_000_000
_PROBE_US = 5_000_000
_MAX_STREAMS = 64
_MAX_READ_FAULTS = 16

# Containers whose stated duration is ignored. A program that writes a WAV into a pipe does not know the duration and
# states the largest one. For MP3 and AAC, FFmpeg guesses the duration from the first frames. In MPEG streams that were
# joined, the time stamps jump.
_LENGTH_UNKNOWN = frozenset({"wav", "w64", "au", "mp3", "aac", "mpeg", "mpegts"})

# At most this number of tracks are searched for sound. A track whose peak is below -60 dB (0.001 of full scale) counts
# as silent.
_MAX_TRACKS_TRIED = 8
_AUDIBLE = 1e-3


def decode_blocks(data: bytes, limits: DecodeLimits) -> Iterator[Samples]:
    """Decode `data` to 16 kHz mono, block by block.

    If a file is truncated or damaged, everything that can be decoded is yielded. If the sound of the file begins late
    or has a gap, the blocks contain silence in place of the missing sound, so that all times stay right.

    Args:
        data: the bytes of the whole file.
        limits: this function uses only `max_duration_s`. The limits of memory and time are set for the whole process
            (`glas.audio.confinement`).

    Yields:
        Float32 arrays of shape `(n_samples,)`, at most one second each, finite and in -1..1.

    Raises:
        EmptyAudioError: `data` is empty or contains no sample.
        NoSoundTrackError: the file is a video without sound.
        UnsupportedFormatError: the file is in no accepted container, or has no stream of sound that Glas can decode.
        CorruptAudioError: the content, or most of it, cannot be decoded.
        AudioTooLongError: the sound is longer than `limits.max_duration_s` seconds. The sound up to this limit is
            yielded before the error is raised. If the file's header already states a longer duration, no sound is
            yielded.
        DecodeLimitError: decoding needs more memory than is permitted.
    """
    if not data:
        raise EmptyAudioError("The file is empty: 0 bytes")
    most = int(limits.max_duration_s * SAMPLE_RATE_HZ)
    total = 0
    with _ffmpeg_errors_translated(data):
        for block in in_blocks(_decoded(parts(data[skip_id3(data) :]), limits)):
            total += len(block)
            if total > most:
                raise AudioTooLongError(f"The recording is longer than {limits.max_duration_s:g} s")
            yield block
    if not total:
        raise EmptyAudioError(f"The {sniff(data).name} file contains no sound")


@contextmanager
def _ffmpeg_errors_translated(data: bytes) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:  # PyAV's error for missing memory is a MemoryError, too
        raise DecodeLimitError("The decoding of the file needs more memory than is permitted") from error
    except av.error.EOFError as error:
        raise CorruptAudioError(f"The {sniff(data).name} file ends before its sound begins") from error
    except av.error.FFmpegError as error:
        # FFmpeg has the same error for an unknown container, for a container that it must not read, and for damage.
        raise CorruptAudioError(f"The {sniff(data).name} file cannot be decoded: {error.strerror}") from error


def _decoded(recordings: list[bytes], limits: DecodeLimits) -> Iterator[Samples]:
    """Yield the samples of all recordings in a file (see `glas.audio.glued`); skip recordings that cannot be decoded.

    If no recording can be decoded, raise the error of the first one.
    """
    n_good = 0
    failure: AudioError | None = None
    for recording in recordings:
        try:
            with _ffmpeg_errors_translated(recording):
                track = _track(recording, limits)
                yield from resampled(_frames(recording, track), longest_s=limits.max_duration_s)
            n_good += 1
        except (CorruptAudioError, UnsupportedFormatError, NoSoundTrackError) as error:
            failure = failure or error
    if failure is not None and not n_good:
        raise failure


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    container = av.open(
        BytesIO(data),
        mode="r",
        container_options={
            "format_whitelist": DEMUXERS,
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
        yield container


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> Any:
    """Raise an error; FFmpeg calls this function to open another file to which the untrusted file refers."""
    del flags, options
    raise CorruptAudioError(f"The file refers to another file, {url[:80]!r}")


def _track(data: bytes, limits: DecodeLimits) -> int:
    """Return the index of the track to recognise: the first track that is not silent.

    The file's default tracks are examined first. If all tracks are silent, return the index of the first default track.

    Screen recorders write the sound of the computer and of the microphone into separate tracks. Tracks are never mixed,
    because the tracks of a film often contain different languages.
    """
    with _opened(data) as container:
        _refuse_if_it_says_so(container, limits)
        tracks = _tracks(container)
    for track in tracks[:_MAX_TRACKS_TRIED] if len(tracks) > 1 else ():
        with suppress(AudioError, av.error.FFmpegError):
            for piece in resampled(_frames(data, track), longest_s=limits.max_duration_s):
                if np.abs(piece).max(initial=0) >= _AUDIBLE:
                    return track
    return tracks[0]


def _refuse_if_it_says_so(container: Any, limits: DecodeLimits) -> None:
    """Raise an error if the header of a file states a duration that is too long; then the file need not be decoded.

    If the header states a shorter duration, the header may be wrong. So the decoded samples are counted later, too.
    """
    if container.format.name in _LENGTH_UNKNOWN or container.duration is None:
        return
    claimed_s = container.duration / av.time_base
    if claimed_s > limits.max_duration_s + 1:
        raise AudioTooLongError(
            f"The length in the file's header is {claimed_s:.0f} s; at most {limits.max_duration_s:g} s"
        )


def _tracks(container: Any) -> list[int]:
    """Return the indexes of the audio streams that may be decoded, the file's default streams first."""
    accepted = _DECODERS.split(",")
    found = [
        stream
        for stream in container.streams.audio
        if stream.codec_context is not None and stream.codec_context.codec.name in accepted
    ]
    if found:
        found.sort(key=lambda stream: Disposition.default not in stream.disposition)
        return [stream.index for stream in found]
    if container.streams.audio:
        raise UnsupportedFormatError(
            f"The sound of the {container.format.name} file is coded in a way that is not accepted"
        )
    raise NoSoundTrackError(f"The {container.format.name} file has no stream of sound: it is a video without sound")


def _frames(data: bytes, track: int) -> Iterator[TimedFrame]:
    """Yield the decoded frames of a stream with their times, in seconds from the beginning of the file."""
    with _opened(data) as container:
        start_s = (container.start_time or 0) / av.time_base
        stream = container.streams[track]
        # One thread for one file; otherwise a single file could occupy all processors.
        stream.codec_context.thread_count = 1
        for frame in _tolerantly_decoded(container, stream):
            yield TimedFrame(None if frame.time is None else frame.time - start_s, frame)


def _tolerantly_decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames of `stream`, and skip packets that cannot be decoded.

    Raises:
        CorruptAudioError: more packets failed than could be decoded.
    """
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
        parts_read = damaged + decoded
        raise CorruptAudioError(
            f"The {container.format.name} file is damaged: {damaged} of {parts_read} parts do not decode"
        )


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of `stream`.

    After a read error, continue with the next packet. After `_MAX_READ_FAULTS` read errors, yield no more packets.
    """
    for _ in range(_MAX_READ_FAULTS):
        try:
            yield from container.demux(stream)
        except MemoryError:
            raise
        except av.error.FFmpegError:
            continue
        return
