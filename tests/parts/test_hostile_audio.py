"""A list of malicious files: each is decoded or refused with an error, cheaply, and affects nothing else.

"Cheaply" needs no stopwatch: the pool of these tests allows a file five seconds of processor time, and a file that took
more would end as `DecodeLimitError`, which no entry expects.
"""

import os
import platform
import signal
import socket
import subprocess
import sys
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
    AudioError,
    AudioTooLongError,
    CorruptAudioError,
    DecodeLimitError,
    EmptyAudioError,
    NoSoundTrackError,
    UnsupportedFormatError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.parts import hostile
from tests.parts.recordings import encoded, film, tone
from tests.parts.test_decoder import decoded, decoder_of, eventually, is_running, needs_linux, warden_of

DAY_S = 86_400
LIMITS = DecodeLimits(max_duration_s=1_200, cpu_s=5)

SPEECH = encoded(tone(440, 10), "ogg-opus")
MEGABYTE = bytes(1 << 20)


# What comes of a file: an error, or so many seconds of sound.
Outcome = type[AudioError] | float

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


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One process, so that each file is decoded after the file before it."""
    with DecoderPool(1, LIMITS) as pool:
        yield pool


def outcome(pool: DecoderPool, data: bytes) -> Outcome:
    """Return the result for `data`; the decoder must have ended by itself, within its memory."""
    try:
        recording = pool.open(data)
    except AudioError as error:
        return type(error)
    result: Outcome
    with recording:
        try:
            for block in recording:
                assert np.isfinite(block).all()
                assert float(np.abs(block).max()) <= 1
            result = recording.duration_s
        except AudioError as error:
            result = type(error)
    assert recording.verdict is not None
    assert recording.verdict.exit_code == 0
    assert recording.verdict.peak_memory_bytes < 512 << 20
    return result


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


@needs_linux
def test_a_decoder_at_work_is_locked_in(pool: DecoderPool) -> None:
    with pool.open(hostile.silent_opus(1_000)) as recording:
        next(iter(recording))
        home = Path(f"/proc/{decoder_of(recording)}")
        warden = Path(f"/proc/{warden_of(recording)}")
        limits = home.joinpath("limits").read_text()
        status = home.joinpath("status").read_text()
        for line in (
            "Max open files            3                    3 ",
            "Max file size             0                    0 ",
        ):
            assert line in limits
        assert "Max cpu time              5                    6 " in limits
        assert "Max core file size        0                    0 " in limits
        assert "Max address space         unlimited" not in limits
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        assert "CapEff:\t0000000000000000" in status
        assert is_running(int(warden.name))
        if os.geteuid() == 0:  # others may not look into a process that has shut itself off
            assert {entry.name for entry in home.joinpath("fd").iterdir()} == {"0", "1", "2"}
            assert home.joinpath("fd", "2").readlink() == Path(os.devnull)
            assert home.joinpath("ns", "net").readlink() != Path("/proc/self/ns/net").readlink()
        assert home.joinpath("environ").stat().st_size == 0


_ESCAPES = """
import os, resource, socket, sys
from glas.audio import confinement
from glas.audio.limits import DecodeLimits

def attempt(name, action):
    try:
        action()
        print(name, "done", sep=": ", flush=True)
    except BaseException as error:
        print(name, getattr(error, "strerror", None) or type(error).__name__, sep=": ", flush=True)

what, victim = sys.argv[1:]
held = os.open("/", os.O_RDONLY)
if what == "without the filter":
    confinement.allow_only_computation = lambda libc: False
if what != "free":
    confinement.confine(DecodeLimits(memory_bytes=64 << 20, cpu_s=1), input_bytes=0)
attempt("read", lambda: open(victim).close())
attempt("write", lambda: open(victim, "w").close())
attempt("descriptor left open", lambda: os.stat("etc", dir_fd=held))
attempt("socket", lambda: socket.socket().close())
attempt("memory", lambda: bytearray(200 << 20))
attempt("little memory", lambda: bytearray(20 << 20))
attempt("limits", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("program", lambda: os.execv("/no-such-program", ["x"]))
attempt("process", lambda: os.fork() or os._exit(0))
attempt("delete", lambda: os.unlink(victim))
if what == "spin":
    while True:
        pass
"""
_UNOPENABLE = ("read", "write", "socket")


def escapes(what: str, victim: Path) -> tuple[dict[str, str], int]:
    """Return which forbidden actions a process can still do, and how it ended."""
    victim.touch()
    done = subprocess.run(
        [sys.executable, "-c", _ESCAPES, what, str(victim)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )
    return dict(line.split(": ", 1) for line in done.stdout.splitlines()), done.returncode


@needs_linux
def test_a_free_process_can_do_what_is_taken_away(tmp_path: Path) -> None:
    results, exit_code = escapes("free", tmp_path / "victim")
    assert results.pop("program") == "No such file or directory"
    assert set(results.values()) == {"done"}
    assert len(results) == 10
    assert exit_code == 0


@needs_linux
def test_without_free_descriptors_nothing_can_be_opened(tmp_path: Path) -> None:
    results, _ = escapes("without the filter", tmp_path / "victim")
    assert {results[name] for name in _UNOPENABLE} == {"Too many open files"}
    assert results["descriptor left open"] == "Bad file descriptor"
    assert results["memory"] == "MemoryError"
    assert results["little memory"] == "done"
    assert results["limits"] != "done"


@needs_linux
@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="the filter knows two machines")
def test_behind_the_filter_nothing_can_be_asked_of_the_system(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    results, _ = escapes("locked", victim)
    assert results.pop("memory") == "MemoryError"
    assert results.pop("little memory") == "done"
    assert set(results.values()) == {"Function not implemented"}
    assert len(results) == 9
    assert victim.exists()


@needs_linux
def test_after_the_lock_the_processor_is_taken_away(tmp_path: Path) -> None:
    results, exit_code = escapes("spin", tmp_path / "victim")
    assert results["read"] != "done"
    assert exit_code == -signal.SIGXCPU


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
