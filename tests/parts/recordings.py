"""Good recordings, made on the spot with FFmpeg's own coders."""

from io import BytesIO
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from glas.training.sound.channel import decode_audio, encode_opus

Sound = npt.NDArray[np.float32]

_LAYOUTS = {1: "mono", 2: "stereo"}

# name: (muxer, coder, container as `formats` names it)
KINDS: dict[str, tuple[str, str, str]] = {
    "ogg-opus": ("ogg", "libopus", "OGG"),
    "ogg-flac": ("ogg", "flac", "OGG"),
    "mp3": ("mp3", "libmp3lame", "MP3"),
    "m4a": ("ipod", "aac", "M4A"),
    "mp4": ("mp4", "aac", "MP4"),
    "adts": ("adts", "aac", "AAC"),
    "wav": ("wav", "pcm_s16le", "WAV"),
    "wav-float": ("wav", "pcm_f32le", "WAV"),
    "flac": ("flac", "flac", "FLAC"),
    "webm": ("webm", "libopus", "WEBM"),
    "mkv": ("matroska", "flac", "MATROSKA"),
    "aiff": ("aiff", "pcm_s16be", "AIFF"),
    "caf": ("caf", "pcm_s16le", "CAF"),
}


def tone(frequency_hz: float, duration_s: float, rate_hz: int = 48_000, level: float = 0.3) -> Sound:
    """A sine, shape `(n_samples,)`."""
    seconds = np.arange(int(rate_hz * duration_s)) / rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * seconds)).astype(np.float32)


def white_noise(duration_s: float, rate_hz: int = 48_000, seed: int = 0) -> Sound:
    """Noise, shape `(n_samples,)`."""
    return np.random.default_rng(seed).normal(0, 0.1, int(rate_hz * duration_s)).astype(np.float32)


def encoded(sound: Sound, kind: str, rate_hz: int = 48_000, channels: int = 1, **options: str) -> bytes:
    """A file of `kind` with `sound` in every channel."""
    muxer, coder, _ = KINDS[kind]
    file = BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream = add_sound(container, coder, rate_hz=rate_hz, channels=channels, **options)
        write_sound(container, stream, sound, rate_hz=rate_hz, channels=channels)
    return file.getvalue()


def add_sound(container: Any, coder: str, *, rate_hz: int, channels: int = 1, **options: str) -> Any:
    """Add a stream of sound to a container; all streams are added before the first is written."""
    return container.add_stream(coder, rate=rate_hz, layout=_LAYOUTS[channels], options=options)


def write_sound(container: Any, stream: Any, sound: Sound, *, rate_hz: int, channels: int = 1) -> None:
    """Fill a stream of sound."""
    frame = av.AudioFrame.from_ndarray(np.tile(sound, (channels, 1)), format="fltp", layout=_LAYOUTS[channels])
    frame.sample_rate = rate_hz
    context = stream.codec_context
    context.open(strict=False)
    cutter = av.AudioResampler(context.format.name, context.layout.name, rate_hz, frame_size=context.frame_size or 1024)
    for piece in [*cutter.resample(frame), *cutter.resample(None)]:
        container.mux(stream.encode(piece))
    # FLAC's coder ends with an empty packet that only carries a checksum, and muxers choke on it.
    container.mux([packet for packet in stream.encode(None) if packet.size])


def film(sound: Sound | None, rate_hz: int = 48_000) -> bytes:
    """An MP4 with a second of moving picture first and `sound`, if there is any, second."""
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        voice = None if sound is None else add_sound(container, "aac", rate_hz=rate_hz)
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound is not None:
            write_sound(container, voice, sound, rate_hz=rate_hz)
    return file.getvalue()


def in_noise(recording: bytes, snr_db: float, seed: int = 0) -> bytes:
    """A voice message of the same speech in noise, as Opus."""
    speech = decode_audio(BytesIO(recording))
    noise = np.random.default_rng(seed).standard_normal(len(speech)).astype(np.float32)
    loudness = float(np.sqrt(np.mean(speech**2))) * 10 ** (-snr_db / 20)
    return encode_opus((speech + noise * np.float32(loudness)) * np.float32(0.5), 24_000)
