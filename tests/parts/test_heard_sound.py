"""For all channels, tracks, time stamps and containers, the sound is decoded at the right second."""

from io import BytesIO
from typing import Any

import av
import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.formats import sniff
from glas.audio.limits import DecodeLimits
from glas.audio.resampling import TimedFrame, resampled
from glas.domain.errors import NoSoundTrackError
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from tests.parts.recordings import encoded, film, tone
from tests.parts.timed_files import RATE_HZ, Piece, timed, wav

TONE_DB = -13.5  # a sine with a peak of 0.3
SILENT = np.zeros(3 * RATE_HZ, np.float32)


def heard(data: bytes) -> Samples:
    return np.concatenate(list(decode_blocks(data, DecodeLimits(max_duration_s=60))))


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def pitch_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


def starts_s(samples: Samples) -> list[float]:
    """The seconds at which sound begins after a silence of 0.1 s or more."""
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    breaks = np.flatnonzero(np.diff(loud) > SAMPLE_RATE_HZ // 10)
    return [float(at) / SAMPLE_RATE_HZ for at in loud[[0, *(breaks + 1)]]]


# ---- channels


@pytest.mark.parametrize("share", [-1.0, -0.8])
def test_inverted_phase_does_not_cancel(share: float) -> None:
    voice = tone(440, 3)
    found = heard(wav([voice, np.float32(share) * voice], "stereo"))
    assert level_db(found) == pytest.approx(TONE_DB, abs=1)
    assert pitch_hz(found) == pytest.approx(440, abs=1)


def test_inverted_phase_does_not_cancel_in_a_lossy_file() -> None:
    file = BytesIO()
    voice = tone(440, 3)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="stereo")
        for start in range(0, len(voice) - 1023, 1024):
            piece = voice[start : start + 1024]
            frame = av.AudioFrame.from_ndarray(np.stack([piece, -piece]), format="fltp", layout="stereo")
            frame.sample_rate = RATE_HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert level_db(heard(file.getvalue())[8_000:40_000]) == pytest.approx(TONE_DB, abs=1)


@pytest.mark.parametrize("layout", ["stereo", "3.0", "quad", "5.1", "7.1", "hexadecagonal"])
def test_a_voice_in_any_channel_of_any_layout_is_as_loud_as_it_was(layout: str) -> None:
    count = av.AudioLayout(layout).nb_channels
    voice, nothing = tone(440, 1), np.zeros(RATE_HZ, np.float32)
    for place in range(count):
        found = heard(wav([voice if channel == place else nothing for channel in range(count)], layout))
        assert level_db(found) == pytest.approx(TONE_DB, abs=0.5), place


def test_two_people_on_two_channels_are_both_heard() -> None:
    found = heard(wav([tone(440, 3), tone(1_000, 3)], "stereo"))
    spectrum = np.abs(np.fft.rfft(found))
    loudest = np.sort(np.argsort(spectrum)[-2:]) / 3
    assert loudest == pytest.approx([440, 1_000], abs=2)


# ---- time


@pytest.mark.parametrize(("muxer", "coder"), [("matroska", "libopus"), ("mp4", "aac"), ("mpegts", "aac")])
def test_sound_that_begins_late_is_heard_late(muxer: str, coder: str) -> None:
    data = timed(muxer, coder, [Piece(4.98, tone(440, 2))], picture=True)
    assert starts_s(heard(data)) == pytest.approx([4.98], abs=0.1)


@pytest.mark.parametrize(("muxer", "coder"), [("matroska", "libopus"), ("webm", "libopus"), ("matroska", "flac")])
def test_a_gap_of_time_stamps_is_silence(muxer: str, coder: str) -> None:
    data = timed(muxer, coder, [Piece(0, tone(440, 2)), Piece(6, tone(440, 2))])
    found = heard(data)
    assert starts_s(found) == pytest.approx([0, 6], abs=0.1)
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(8, abs=0.1)


def test_a_clock_that_does_not_start_at_nothing_is_no_delay() -> None:
    """A section of a long broadcast keeps the broadcast's time stamps."""
    found = heard(timed("mpegts", "aac", [Piece(3_000, tone(440, 2))]))
    assert starts_s(found) == pytest.approx([0], abs=0.1)


def test_time_stamps_that_tremble_change_nothing() -> None:
    length = 1024
    whole = tone(440, 3)
    pieces = [
        Piece(start / RATE_HZ + (0.01 if start // length % 2 else 0), whole[start : start + length])
        for start in range(0, len(whole), length)
    ]
    found = heard(timed("matroska", "pcm_s16le", pieces))
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.05)
    assert np.abs(np.diff(found)).max() < 0.1


@pytest.mark.parametrize("jump_s", [90_000, -1.5])
def test_a_jump_that_cannot_be_is_a_fault_of_the_time_stamps(jump_s: float) -> None:
    """The sound continues without a gap, and a gap after the jump is silence again."""
    seconds = [0, 1, 2 + jump_s, 3 + jump_s, 6 + jump_s]
    frame = av.AudioFrame.from_ndarray(tone(440, 1, SAMPLE_RATE_HZ)[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    found = np.concatenate(list(resampled([TimedFrame(at_s, frame) for at_s in seconds], longest_s=60)))
    assert starts_s(found) == pytest.approx([0, 6], abs=0.1)
    assert len(found) == 7 * SAMPLE_RATE_HZ


def test_a_broadcast_whose_clock_jumps_is_heard_whole() -> None:
    data = timed("mpegts", "aac", [Piece(0, tone(440, 2)), Piece(50_000, tone(440, 2))])
    assert len(heard(data)) / SAMPLE_RATE_HZ == pytest.approx(4, abs=0.2)


def test_what_is_damaged_leaves_silence_so_that_the_rest_keeps_its_time() -> None:
    data = bytearray(timed("matroska", "libopus", [Piece(0, tone(440, 4)), Piece(4, tone(1_000, 2))]))
    middle = len(data) // 2
    data[middle : middle + 3_000] = bytes(3_000)
    found = heard(bytes(data))
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(6, abs=0.2)
    assert pitch_hz(found[5 * SAMPLE_RATE_HZ :][: SAMPLE_RATE_HZ // 2]) == pytest.approx(1_000, abs=4)


# ---- tracks


@pytest.mark.parametrize(("muxer", "coder"), [("matroska", "libopus"), ("mp4", "aac")])
def test_a_silent_first_track_does_not_hide_the_second(muxer: str, coder: str) -> None:
    found = heard(timed(muxer, coder, [Piece(0, SILENT)], [Piece(0, tone(440, 3))]))
    assert level_db(found) == pytest.approx(TONE_DB, abs=1)


def test_the_default_track_is_heard() -> None:
    found = heard(timed("matroska", "libopus", [Piece(0, tone(1_000, 3))], [Piece(0, tone(440, 3))], default=1))
    assert pitch_hz(found) == pytest.approx(440, abs=1)


def test_of_two_tracks_with_sound_the_first_is_heard_alone() -> None:
    found = heard(timed("matroska", "libopus", [Piece(0, tone(440, 3))], [Piece(0, tone(1_000, 3))]))
    assert pitch_hz(found) == pytest.approx(440, abs=1)


def test_two_silent_tracks_are_silence() -> None:
    found = heard(timed("matroska", "libopus", [Piece(0, SILENT)], [Piece(0, SILENT)]))
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.1)
    assert level_db(found) < -90


def test_a_film_without_sound_is_told_so() -> None:
    with pytest.raises(NoSoundTrackError, match="video without sound"):
        heard(film(None))


# ---- containers and coders

# name: (muxer, coder, rate, name of the container)
MORE_KINDS = {
    "avi": ("avi", "libmp3lame", 48_000, "AVI"),
    "mpeg program stream": ("mpeg", "mp2", 48_000, "MPEG_PS"),
    "mpeg transport stream": ("mpegts", "aac", 48_000, "MPEG_TS"),
    "flv": ("flv", "libmp3lame", 44_100, "FLV"),
    "wma": ("asf", "wmav2", 48_000, "ASF"),
    "au": ("au", "pcm_s16be", 48_000, "AU"),
    "w64": ("w64", "pcm_s16le", 48_000, "W64"),
    "mov": ("mov", "pcm_s16le", 48_000, "MP4"),
    "g722": ("wav", "adpcm_g722", 16_000, "WAV"),
    "g726": ("wav", "adpcm_g726", 8_000, "WAV"),
    "ms adpcm": ("wav", "adpcm_ms", 16_000, "WAV"),
    "3gp": ("3gp", "aac", 16_000, "MP4"),
}


@pytest.mark.parametrize("kind", MORE_KINDS)
def test_containers_of_recorders_and_cameras_are_heard(kind: str) -> None:
    muxer, coder, rate_hz, name = MORE_KINDS[kind]
    data = _coded(muxer, coder, rate_hz)
    assert sniff(data).name == name
    found = heard(data)
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.15)
    assert pitch_hz(found[SAMPLE_RATE_HZ // 2 :][: 2 * SAMPLE_RATE_HZ]) == pytest.approx(440, abs=1)
    assert level_db(found[SAMPLE_RATE_HZ // 2 :][: 2 * SAMPLE_RATE_HZ]) == pytest.approx(TONE_DB, abs=1)


def _coded(muxer: str, coder: str, rate_hz: int) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream: Any = container.add_stream(coder, rate=rate_hz, layout="mono")
        context = stream.codec_context
        context.bit_rate = 32_000 if coder == "adpcm_g726" else 96_000
        context.open(strict=False)
        frame = av.AudioFrame.from_ndarray(tone(440, 3, rate_hz)[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        cutter = av.AudioResampler(context.format.name, "mono", rate_hz, frame_size=context.frame_size or 1024)
        for piece in [*cutter.resample(frame), *cutter.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux([packet for packet in stream.encode(None) if packet.size])
    return file.getvalue()


def test_a_quicktime_file_without_its_first_box_is_heard() -> None:
    whole = encoded(tone(440, 3), "m4a")
    data = whole[:4] + b"wide" + whole[8:]
    assert sniff(data).name == "MOV"
    assert level_db(heard(data)[8_000:40_000]) == pytest.approx(TONE_DB, abs=1)


@pytest.mark.parametrize("kind", ["wav", "flac", "webm", "mkv", "ogg-opus", "mp3"])
def test_recordings_glued_together_are_all_heard(kind: str) -> None:
    found = heard(encoded(tone(440, 2), kind) + encoded(tone(1_000, 2), kind))
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(4, abs=0.15)
    assert pitch_hz(found[4_000:28_000]) == pytest.approx(440, abs=1)
    assert pitch_hz(found[36_000:60_000]) == pytest.approx(1_000, abs=1)


def test_an_mp3_cut_out_of_a_broadcast_is_heard() -> None:
    data = encoded(tone(440, 3), "mp3")[700:]
    assert sniff(data).name == "MP3"
    assert level_db(heard(data)[8_000:40_000]) == pytest.approx(TONE_DB, abs=1)
