"""Decode a file that is held in memory into blocks of samples.

FFmpeg finds the container of the bytes and reads only from them: all containers that are not on our list, and all
protocols, are forbidden by name, and only decoders of sound are allowed, so that a film's pictures are never touched.
Content from strangers is decoded in a process of its own (`decoder`); this module is what runs in it.
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
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples

# FFmpeg's names of the decoders of sound that may be used; the list is given to FFmpeg as it stands.
_DECODERS = (
    "opus,libopus,vorbis,speex,flac,alac,mp3float,mp3,mp2float,mp2,mp1float,mp1,aac,aac_fixed,aac_latm,ac3,eac3,amrnb,"
    "amrwb,gsm,gsm_ms,ilbc,g722,g726,g726le,g723_1,g729,nellymoser,wmav1,wmav2,wmapro,wmavoice,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,adpcm_swf,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_bluray,pcm_dvd,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)

# Beyond these a file only costs time: sound is described in its first kilobytes.
_PROBE_BYTES = 1_000_000
_PROBE_US = 5_000_000
_MAX_STREAMS = 64
_MAX_READ_FAULTS = 16

# Containers that are not asked how long they are. Programs that write a WAV into a pipe cannot know and claim the most;
# of MP3 and AAC FFmpeg guesses by the first frames; the clock of MPEG streams jumps where two were put together.
_LENGTH_UNKNOWN = frozenset({"wav", "w64", "au", "mp3", "aac", "mpeg", "mpegts"})

# Tracks that are listened to for sound, and the peak (of full scale) from which there is some: -60 dB.
_MAX_TRACKS_TRIED = 8
_AUDIBLE = 1e-3


def decode_blocks(data: bytes, limits: DecodeLimits) -> Iterator[Samples]:
    """Decode `data` to 16 kHz mono, block by block.

    What can be decoded of a truncated or damaged file is given; a voice message received by half is half a message.
    The blocks keep the time of the file: where its sound begins late or has a gap, there is silence.

    Args:
        data: the whole file.
        limits: only `max_duration_s` acts here; memory and time are limited by the process (`decoder`).

    Yields:
        Float32 arrays of shape `(n_samples,)`, at most one second each, finite and in -1..1.

    Raises:
        EmptyAudioError: no bytes, or no sample in them.
        NoSoundTrackError: a film without sound.
        UnsupportedFormatError: not an accepted container, or no stream of sound that we decode.
        CorruptAudioError: the content does not decode, or most of it does not.
        AudioTooLongError: more than `limits.max_duration_s` seconds; the blocks up to there were given, unless the
            file itself says how long it is.
        DecodeLimitError: memory ran out.
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
        raise EmptyAudioError(f"The {sniff(data).name} file holds no sound")


@contextmanager
def _ffmpeg_errors_translated(data: bytes) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:  # FFmpeg's own is one too
        raise DecodeLimitError("Decoding asked for more memory than a file may have") from error
    except av.error.EOFError as error:
        raise CorruptAudioError(f"The {sniff(data).name} file ends before its sound begins") from error
    except av.error.FFmpegError as error:
        # FFmpeg has one error for a container that it does not know, or must not read, and for damage.
        raise CorruptAudioError(f"The {sniff(data).name} file cannot be decoded: {error.strerror}") from error


def _decoded(recordings: list[bytes], limits: DecodeLimits) -> Iterator[Samples]:
    """Samples of all recordings; one that fails is passed over if another succeeds."""
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
    """FFmpeg asks here for every further file that a container names: there is none."""
    del flags, options
    raise CorruptAudioError(f"The file refers to another one, {url[:80]!r}")


def _track(data: bytes, limits: DecodeLimits) -> int:
    """Index of the stream to hear: the file's default one, unless it is silent and another is not.

    Screen recorders write what the computer plays and what the microphone hears into tracks of their own. Two tracks
    are never mixed: of a film they are two languages.
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
    """Believe a file that calls itself too long: a day of silence is then refused before two hours of it are heard.

    A claim to be short is never believed; samples are counted.
    """
    if container.format.name in _LENGTH_UNKNOWN or container.duration is None:
        return
    claimed_s = container.duration / av.time_base
    if claimed_s > limits.max_duration_s + 1:
        raise AudioTooLongError(f"The recording says it is {claimed_s:.0f} s long; at most {limits.max_duration_s:g} s")


def _tracks(container: Any) -> list[int]:
    """Indexes of the streams of sound that we decode, those first that the file marks as default."""
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
    """Decoded frames of a stream with the seconds from the beginning of the file at which they stand."""
    with _opened(data) as container:
        start_s = (container.start_time or 0) / av.time_base
        stream = container.streams[track]
        # One file, one processor: threads would let one stranger's file take the whole machine.
        stream.codec_context.thread_count = 1
        for frame in _tolerantly_decoded(container, stream):
            yield TimedFrame(None if frame.time is None else frame.time - start_s, frame)


def _tolerantly_decoded(container: Any, stream: Any) -> Iterator[Any]:
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
        parts_read = damaged + decoded
        raise CorruptAudioError(
            f"The {container.format.name} file is damaged: {damaged} of {parts_read} parts do not decode"
        )


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
