"""Decoding in separate processes: the sound is right, and a fault in one process affects no other file."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from glas.audio.decode import decode_blocks
from glas.audio.decoder import DecoderPool, Recording
from glas.audio.formats import AudioFormat, sniff
from glas.audio.limits import DecodeLimits
from glas.domain.errors import (
    AudioTooLongError,
    ConfigurationError,
    CorruptAudioError,
    EmptyAudioError,
    NoSoundTrackError,
    OverloadedError,
    UnsupportedFormatError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ, Samples
from tests.parts.recordings import KINDS, encoded, film, tone, white_noise

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """Two processes with the usual limits."""
    with DecoderPool(2, DecodeLimits()) as pool:
        yield pool


@pytest.fixture(scope="module")
def long_file() -> bytes:
    """A minute of noise: long enough that a decoder still works when its first second is read."""
    return encoded(white_noise(60), "ogg-opus")


def decoded(pool: DecoderPool, data: bytes) -> Samples:
    with pool.open(data) as recording:
        return np.concatenate(list(recording))


def level_db(samples: Samples) -> float:
    """Root mean square of the middle, relative to full scale."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(20 * np.log10(np.sqrt(np.mean(np.square(middle, dtype=np.float64))) + 1e-12))


def is_running(pid: int) -> bool:
    """Return whether process `pid` exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.02)
    return False


def warden_of(recording: Recording) -> int:
    assert recording._worker is not None
    return recording._worker.pid


def decoder_of(recording: Recording) -> int:
    """Process id of the confined process at work on `recording`."""
    warden = warden_of(recording)
    return int(Path(f"/proc/{warden}/task/{warden}/children").read_text().split()[0])


# ---- the sound is right


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_gives_the_same_tone(pool: DecoderPool, kind: str) -> None:
    with pool.open(encoded(tone(440, 3), kind)) as recording:
        blocks = list(recording)
        assert sniff(encoded(tone(440, 1), kind)) is AudioFormat[KINDS[kind][2]]
        assert recording.exit_report is not None
        assert recording.exit_report.exit_code == 0
    samples = np.concatenate(blocks)
    assert samples.dtype == np.float32
    assert {len(block) for block in blocks[:-1]} == {SAMPLE_RATE_HZ}
    assert recording.duration_s == len(samples) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.06)
    spectrum = np.abs(np.fft.rfft(samples[8_000:40_000] * np.hanning(32_000)))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=0.5)
    assert level_db(samples) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.6)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 96_000])
def test_every_rate_becomes_16_khz(pool: DecoderPool, rate_hz: int) -> None:
    samples = decoded(pool, encoded(tone(1_000, 2, rate_hz), "wav", rate_hz))
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=40)
    expected = tone(1_000, 2, SAMPLE_RATE_HZ)
    assert np.corrcoef(samples[1_000:30_000], expected[1_000:30_000])[0, 1] > 0.999


def test_what_16_khz_cannot_carry_does_not_come_back_as_another_tone(pool: DecoderPool) -> None:
    assert level_db(decoded(pool, encoded(tone(7_000, 2), "wav"))) == pytest.approx(-13.5, abs=1)
    for frequency_hz in (9_000, 11_000, 15_000):
        assert level_db(decoded(pool, encoded(tone(frequency_hz, 2), "wav"))) < -70


def test_channels_are_mixed(pool: DecoderPool) -> None:
    stereo = decoded(pool, encoded(tone(440, 2), "wav", channels=2))
    assert level_db(stereo) == pytest.approx(-13.5, abs=0.2)


def test_what_a_coder_overshoots_is_cut_at_full_scale(pool: DecoderPool) -> None:
    samples = decoded(pool, encoded(tone(440, 1) * 8, "wav-float"))
    assert float(np.abs(samples).max()) == 1.0


def test_the_sound_of_a_film_is_found(pool: DecoderPool) -> None:
    samples = decoded(pool, film(tone(440, 2)))
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE_HZ, abs=1_000)
    assert level_db(samples) == pytest.approx(-13.5, abs=0.5)


def test_the_process_gives_what_decoding_here_gives(pool: DecoderPool) -> None:
    data = encoded(white_noise(3), "mp3")
    np.testing.assert_array_equal(decoded(pool, data), np.concatenate(list(decode_blocks(data, pool.limits))))


def test_half_of_a_voice_message_is_half_a_message(pool: DecoderPool) -> None:
    data = encoded(tone(440, 10), "ogg-opus")
    samples = decoded(pool, data[: len(data) // 2])
    assert len(samples) == pytest.approx(5 * SAMPLE_RATE_HZ, abs=1.2 * SAMPLE_RATE_HZ)
    assert level_db(samples) == pytest.approx(-13.5, abs=0.5)


def test_damage_in_the_middle_costs_only_the_middle(pool: DecoderPool) -> None:
    data = bytearray(encoded(tone(440, 10), "adts"))
    middle = len(data) // 2
    data[middle : middle + 2_000] = b"\xff" * 2_000
    with pool.open(bytes(data)) as recording:
        assert level_db(np.concatenate(list(recording))) == pytest.approx(-13.5, abs=1)
    assert 9 < recording.duration_s < 10.1
    assert recording.exit_report is not None
    assert recording.exit_report.exit_code == 0


# ---- errors


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyAudioError),
        (b"<html>", UnsupportedFormatError),
        (encoded(tone(440, 1), "wav")[:78], EmptyAudioError),
        (encoded(tone(440, 1), "ogg-opus")[:100], CorruptAudioError),
        (film(None), NoSoundTrackError),
    ],
    # Encoded audio holds a random serial number; every worker must find the same names.
    ids=["nothing", "page", "header of wav", "header of ogg", "film without sound"],
)
def test_the_error_of_the_process_is_the_error_of_the_module(
    pool: DecoderPool, data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error) as here:
        list(decode_blocks(data, pool.limits))
    with pytest.raises(error) as there:
        decoded(pool, data)
    assert type(here.value) is type(there.value)
    assert str(here.value) == str(there.value)


def test_a_recording_that_calls_itself_too_long_is_refused_before_it_is_decoded(long_file: bytes) -> None:
    with (
        DecoderPool(1, DecodeLimits(max_duration_s=2.5)) as pool,
        pool.open(long_file) as recording,
        pytest.raises(AudioTooLongError, match="header is 60 s"),
    ):
        next(iter(recording))
    assert recording.n_samples == 0


def test_a_long_recording_is_given_up_to_the_limit() -> None:
    with DecoderPool(1, DecodeLimits(max_duration_s=2.5)) as pool:
        with pool.open(encoded(white_noise(10), "wav")) as recording:
            blocks = iter(recording)
            assert len(next(blocks)) == len(next(blocks)) == SAMPLE_RATE_HZ
            with pytest.raises(AudioTooLongError, match=r"2\.5 s"):
                next(blocks)
        assert len(decoded(pool, encoded(tone(440, 2.5), "wav"))) == 2.5 * SAMPLE_RATE_HZ


def test_no_process_is_needed_to_refuse_nothing() -> None:
    with DecoderPool(1, DecodeLimits()) as pool:
        with pytest.raises(EmptyAudioError):
            pool.open(b"")
        assert not pool._alive


def test_a_pool_without_workers_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError):
        DecoderPool(0, DecodeLimits())


# ---- the pool


def test_more_threads_than_processes_all_get_their_own_recording(pool: DecoderPool) -> None:
    levels = (0.05, 0.1, 0.2, 0.4)
    files = [encoded(tone(440, 2, level=level), "flac") for level in levels]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda data: decoded(pool, data), files * 6))
    assert len(pool._alive) == 2
    for samples, level in zip(results, levels * 6, strict=True):
        assert float(np.abs(samples).max()) == pytest.approx(level, rel=0.02)


def test_when_all_are_busy_one_is_told_when_to_come_back(long_file: bytes) -> None:
    with DecoderPool(1, DecodeLimits()) as pool, pool.open(long_file):
        with pytest.raises(OverloadedError) as caught:
            pool.open(long_file, wait_s=0.01)
        assert caught.value.retry_after_s


def test_a_place_is_free_at_the_end_of_the_recording_not_of_the_with(pool: DecoderPool) -> None:
    with DecoderPool(1, pool.limits) as single, single.open(encoded(tone(440, 1), "wav")) as first:
        assert sum(len(block) for block in first) == SAMPLE_RATE_HZ
        assert len(decoded(single, encoded(tone(440, 1), "wav"))) == SAMPLE_RATE_HZ
        assert list(first) == []


def test_stopping_early_ends_the_decoder_and_frees_the_place(long_file: bytes) -> None:
    with DecoderPool(1, DecodeLimits()) as pool:
        with pool.open(long_file) as recording:
            warden = warden_of(recording)
            next(iter(recording))
        assert not is_running(warden)
        assert len(decoded(pool, long_file)) == 60 * SAMPLE_RATE_HZ


@needs_linux
def test_a_slow_reader_makes_the_decoder_wait_and_loses_nothing(long_file: bytes) -> None:
    with DecoderPool(1, DecodeLimits(wall_s=2)) as pool, pool.open(long_file) as recording:
        blocks = iter(recording)
        first = next(blocks)
        decoder = decoder_of(recording)

        def is_asleep() -> bool:
            return Path(f"/proc/{decoder}/stat").read_text().rpartition(")")[2].split()[0] == "S"

        assert eventually(is_asleep)
        before_s = recording._patience.left_s
        time.sleep(0.3)
        assert recording._patience.left_s == before_s
        assert is_asleep()
        assert len(first) + sum(len(block) for block in blocks) == 60 * SAMPLE_RATE_HZ


# ---- deaths
