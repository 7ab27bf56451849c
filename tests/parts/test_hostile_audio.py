"""A list of malicious files: each is decoded or refused with an error, cheaply, and affects nothing else."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.domain.errors import (
    AudioTooLongError,
    CorruptAudioError,
    DecodeLimitError,
    EmptyAudioError,
    NoSoundTrackError,
    UnsupportedFormatError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.parts import hostile
from tests.parts.hostile_decoding import LIMITS, SPEECH, Outcome, outcome
from tests.parts.hostile_decoding import pool as pool  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.recordings import encoded, film, tone
from tests.parts.test_decoder import decoded, decoder_of, eventually, is_running, needs_linux, warden_of

DAY_S = 86_400
MEGABYTE = bytes(1 << 20)

CATALOGUE: dict[str, tuple[Callable[[], bytes], Outcome]] = {
    "nothing": (lambda: b"", EmptyAudioError),
    "only the header of an Ogg": (lambda: SPEECH[:100], CorruptAudioError),
    "half of an Ogg": (lambda: SPEECH[: len(SPEECH) // 2], 5.0),
    "five bytes of an Ogg changed": (lambda: hostile.flipped(SPEECH, 5), 9.0),
    "an Ogg of which every page is damaged": (lambda: hostile.flipped(SPEECH, 2_000), CorruptAudioError),
    "random bytes": (lambda: hostile.random_bytes(200_000), UnsupportedFormatError),
    "random bytes behind an Ogg's magic": (lambda: b"OggS" + hostile.random_bytes(200_000), CorruptAudioError),
    "a WAV of 1 Hz, eleven days long": (lambda: hostile.wav(MEGABYTE, rate_hz=1), CorruptAudioError),
    "a WAV of 0 Hz": (lambda: hostile.wav(MEGABYTE, rate_hz=0), CorruptAudioError),
    "a WAV of 4 GHz": (lambda: hostile.wav(MEGABYTE, rate_hz=4_000_000_000), CorruptAudioError),
    "a WAV of 2 GHz": (lambda: hostile.wav(MEGABYTE, rate_hz=2_000_000_000), CorruptAudioError),
    "a WAV without channels": (lambda: hostile.wav(MEGABYTE, channels=0), CorruptAudioError),
    "a WAV of 65,535 channels": (lambda: hostile.wav(MEGABYTE, channels=65_535), CorruptAudioError),
    "a WAV of 17 channels": (lambda: hostile.wav(MEGABYTE, channels=17), CorruptAudioError),
    "a WAV that claims 4 GB": (lambda: hostile.wav(bytes(3_200), declared=0xFFFFFFFF), 0.1),
    "a WAV with a NaN": (lambda: hostile.float_wav(float("nan")), CorruptAudioError),
    "a WAV with an infinity": (lambda: hostile.float_wav(float("inf")), CorruptAudioError),
    "a WAV with an absurd peak": (lambda: hostile.float_wav(1e30), 1.0),
    "a day of silence in one megabyte of FLAC": (lambda: hostile.silent_flac(DAY_S), AudioTooLongError),
    "a day of silence in two megabytes of Opus": (lambda: hostile.silent_opus(DAY_S), AudioTooLongError),
    "ten minutes of white noise": (lambda: hostile.noise_aac(10), 601.0),
    "music without a voice": (lambda: hostile.music_ogg(5), 5.0),
    "an MP4 of 50 streams": (lambda: hostile.mp4_of_many_streams(50), 0.2),
    "a Matroska with subtitles and an attachment": (hostile.mkv_with_attachment_and_subtitles, 1.0),
    "an Ogg that is also a ZIP": (hostile.ogg_and_zip, 2.0),
    "an Ogg that is also a web page": (hostile.ogg_and_html, 2.0),
    "a chained Ogg whose rate changes": (hostile.chained_ogg, 2.0),
    "a chained Ogg of Opus": (lambda: hostile.chained_ogg("ogg-opus"), 2.0),
    "an Ogg of 100,000 links": (lambda: hostile.ogg_of_many_links(100_000), CorruptAudioError),
    "an MP3 with a cover of 19 MB": (lambda: hostile.mp3_with_cover(19_000_000), 2.0),
    "an MP3 with a title in an old code page": (hostile.mp3_with_old_title, 2.0),
    "an MP3 with zipped covers of a gigabyte": (lambda: hostile.mp3_with_zip_bombs(10, 100_000_000), 2.0),
    "86 hours of sound zipped into Matroska": (lambda: hostile.mkv_zip_bomb(1_000), AudioTooLongError),
    "an MP4 whose sound lies in another file": (lambda: hostile.mp4_that_refers_to("/etc/passwd"), EmptyAudioError),
    "a film without sound": (lambda: film(None), NoSoundTrackError),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue(pool: DecoderPool, name: str) -> None:
    build, expected = CATALOGUE[name]
    result = outcome(pool, build())
    if isinstance(expected, float):
        assert result == pytest.approx(expected, rel=0.2, abs=0.05)
    else:
        assert result is expected
    assert outcome(pool, SPEECH) == pytest.approx(10, abs=0.05)


def test_the_refusal_says_what_was_expected(pool: DecoderPool) -> None:
    with pytest.raises(CorruptAudioError, match="1 to 16 channels, got 17"):
        decoded(pool, hostile.wav(MEGABYTE, channels=17))
    with pytest.raises(CorruptAudioError, match="4000 to 384000 Hz, got 1 Hz"):
        decoded(pool, hostile.wav(MEGABYTE, rate_hz=1))


def test_of_many_streams_the_first_is_heard(pool: DecoderPool) -> None:
    samples = decoded(pool, hostile.mp4_of_many_streams(3))
    spectrum = np.abs(np.fft.rfft(samples[:3_200]))
    assert np.argmax(spectrum) * 5 == pytest.approx(440, abs=10)


def test_both_links_of_a_chain_are_heard(pool: DecoderPool) -> None:
    samples = decoded(pool, hostile.chained_ogg())
    for second in (0, 1):
        spectrum = np.abs(np.fft.rfft(samples[second * SAMPLE_RATE_HZ + 4_000 :][:8_000]))
        assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


# ---- nothing is opened


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address that no decoder should call, with the requests that it received."""
    calls: list[bytes] = []

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, _ = server.accept()
                with caller:
                    calls.append(caller.recv(100))

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/steal.ogg", calls
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_the_listener_hears_a_caller(listener: tuple[str, list[bytes]]) -> None:
    address, calls = listener
    with suppress(av.error.FFmpegError):
        av.open(address, timeout=2)
    assert calls[0].startswith(b"GET /steal.ogg")


def test_no_playlist_calls_anybody(pool: DecoderPool, listener: tuple[str, list[bytes]]) -> None:
    address, calls = listener
    for name, data in hostile.playlists(address):
        assert outcome(pool, data) is UnsupportedFormatError, name
        # Even behind another format's magic, and even if sniffing were fooled.
        for magic in (
            b"OggS",
            b"fLaC",
            b"\x1a\x45\xdf\xa3",
            b"\0\0\0\x1cftypM4A ",
            b"RIFF\0\0\0\0WAVE",
            b"FORM\0\0\0\0AIFF",
        ):
            assert outcome(pool, magic + data) in {CorruptAudioError, EmptyAudioError, UnsupportedFormatError}
        with pytest.raises(UnsupportedFormatError):
            list(decode_blocks(data, LIMITS))
    assert calls == []


def test_no_playlist_reads_a_file(pool: DecoderPool, tmp_path: Path) -> None:
    canary = tmp_path / "canary.ogg"
    canary.write_bytes(SPEECH)
    for target in (str(canary), canary.as_uri(), "canary.ogg"):
        for name, data in hostile.playlists(target):
            assert outcome(pool, data) is UnsupportedFormatError, name


def test_an_mp4_cannot_send_ffmpeg_to_another_file(pool: DecoderPool, tmp_path: Path) -> None:
    canary = tmp_path / "canary.m4a"
    canary.write_bytes(encoded(tone(440, 1), "m4a"))
    data = hostile.mp4_that_refers_to(str(canary))
    opened: list[str] = []

    def lend(url: str, _flags: int, _options: dict[str, str]) -> BytesIO:
        opened.append(url)
        return BytesIO(canary.read_bytes())

    with av.open(
        BytesIO(data),
        "r",
        format="mov",
        container_options={"enable_drefs": "1", "use_absolute_path": "1"},
        io_open=lend,
    ) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 40_000
    assert opened == [str(canary)]
    assert outcome(pool, data) is EmptyAudioError


# ---- bombs that go off


@needs_linux
@pytest.mark.parametrize(
    ("limits", "build", "words"),
    [
        (DecodeLimits(memory_bytes=16 << 20), lambda: hostile.loud_wav(1.2), "memory"),
        (DecodeLimits(cpu_s=1, max_duration_s=1e6), lambda: hostile.silent_opus(DAY_S), "1 s of processor time"),
        (DecodeLimits(wall_s=1.0, max_duration_s=1e6), lambda: hostile.silent_opus(DAY_S), r"took longer than 1 s"),
    ],
    ids=["memory", "processor", "wall"],
)
def test_a_bomb_ends_its_own_process_only(limits: DecodeLimits, build: Callable[[], bytes], words: str) -> None:
    with DecoderPool(2, limits) as pool:
        pool.start()
        good = encoded(tone(440, 3), "wav")
        with pool.open(good) as neighbour:
            next(iter(neighbour))
            before = warden_of(neighbour)
            with pool.open(build()) as recording:
                bombed = decoder_of(recording)
                with pytest.raises(DecodeLimitError, match=words):
                    list(recording)
            assert eventually(lambda: not is_running(bombed))
            assert is_running(before)
            assert sum(len(block) for block in neighbour) == 2 * SAMPLE_RATE_HZ
        assert len(decoded(pool, good)) == 3 * SAMPLE_RATE_HZ
