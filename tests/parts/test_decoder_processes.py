"""Test the processes that decode: they end with their work, are replaced, and never mix two recordings."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
from glas.audio.wire import ExitReport
from glas.domain.errors import (
    CorruptAudioError,
    DecodeLimitError,
    ServiceFaultError,
)
from glas.domain.transcription import SAMPLE_RATE_HZ
from tests.parts.recordings import encoded, tone
from tests.parts.test_decoder import decoded, decoder_of, eventually, is_running, needs_linux, warden_of
from tests.parts.test_decoder import long_file as long_file  # noqa: PLC0414 - a fixture, found here by its name
from tests.parts.test_decoder import pool as pool  # noqa: PLC0414 - a fixture, found here by its name


@needs_linux
def test_closing_leaves_no_process_and_no_descriptor(long_file: bytes) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    pool = DecoderPool(2, DecodeLimits())
    with pool.open(long_file) as first, pool.open(long_file) as second:
        list(first)
        next(iter(second))
        wardens = [worker.pid for worker in pool._alive]
        decoder = decoder_of(second)
        pool.close()
        with pytest.raises(ServiceFaultError):
            list(second)
    assert len(wardens) == 2
    assert not any(is_running(warden) for warden in wardens)
    assert eventually(lambda: not is_running(decoder))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(ServiceFaultError, match="closed"):
        pool.open(long_file)


@needs_linux
@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (signal.SIGSEGV, CorruptAudioError, "SIGSEGV"),
        (signal.SIGABRT, CorruptAudioError, "SIGABRT"),
        (signal.SIGKILL, DecodeLimitError, "memory"),
        (signal.SIGXCPU, DecodeLimitError, "processor"),
    ],
)
def test_a_file_that_kills_its_decoder_harms_no_other(
    long_file: bytes, number: signal.Signals, error: type[Exception], words: str
) -> None:
    with DecoderPool(2, DecodeLimits()) as pool, pool.open(long_file) as neighbour, pool.open(long_file) as recording:
        next(iter(neighbour))
        next(iter(recording))
        os.kill(decoder_of(recording), number)
        with pytest.raises(error, match=words):
            list(recording)
        assert recording.exit_report is not None
        assert recording.exit_report.exit_code == -number
        assert len(decoded(pool, encoded(tone(440, 1), "wav"))) == SAMPLE_RATE_HZ
        assert sum(len(block) for block in neighbour) == 59 * SAMPLE_RATE_HZ


def test_a_decoder_process_imports_little() -> None:
    """It starts before the service is ready; with Pydantic the start takes nearly twice as long."""
    check = "import sys, glas.audio.decoder_process; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@needs_linux
def test_a_warden_killed_while_idle_is_replaced_unnoticed() -> None:
    good = encoded(tone(440, 1), "wav")
    with DecoderPool(1, DecodeLimits()) as pool:
        pool.start()
        (worker,) = pool._alive
        os.kill(worker.pid, signal.SIGKILL)
        # While it is dying its pipe still takes a small file, which is then lost with it: that is death at work.
        assert eventually(lambda: not is_running(worker.pid))
        assert len(decoded(pool, good)) == SAMPLE_RATE_HZ
        assert worker not in pool._alive


@needs_linux
def test_a_warden_killed_at_work_is_our_fault_not_the_files(long_file: bytes) -> None:
    with DecoderPool(1, DecodeLimits()) as pool:
        with pool.open(long_file) as recording:
            next(iter(recording))
            decoder = decoder_of(recording)
            os.kill(warden_of(recording), signal.SIGKILL)
            assert eventually(lambda: not is_running(decoder))
            with pytest.raises(ServiceFaultError):
                list(recording)
        assert len(decoded(pool, long_file)) == 60 * SAMPLE_RATE_HZ


@needs_linux
def test_what_is_left_in_the_pipe_is_never_another_recordings(long_file: bytes) -> None:
    with DecoderPool(1, DecodeLimits()) as pool:
        with pool.open(encoded(tone(440, 1), "wav")) as recording:
            worker = recording._worker
            assert worker is not None
            silent, worker.is_silent = worker.is_silent, lambda: False  # type: ignore[method-assign]
            list(recording)
        assert silent is not None
        assert worker not in pool._alive
        assert len(decoded(pool, long_file)) == 60 * SAMPLE_RATE_HZ


_OWNER = """
import os, sys
from glas.audio.decoder import DecoderPool
from glas.audio.limits import DecodeLimits
pool = DecoderPool(1, DecodeLimits())
recording = pool.open(sys.stdin.buffer.read())
next(iter(recording))
warden = recording._worker.pid
decoder = open(f"/proc/{warden}/task/{warden}/children").read().split()[0]
print(warden, decoder, flush=True)
sys.stdin = open("/dev/null")
import time
time.sleep(60)
"""


@needs_linux
def test_no_orphan_survives_its_owner(long_file: bytes) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        owner.stdin.write(long_file)
        owner.stdin.close()
        warden, decoder = map(int, owner.stdout.readline().split())
        assert is_running(warden)
        assert is_running(decoder)
        owner.kill()
    assert eventually(lambda: not is_running(warden) and not is_running(decoder))


def test_nothing_starts_before_the_first_file() -> None:
    before = threading.active_count()
    pool = DecoderPool(4, DecodeLimits())
    assert not pool._alive
    assert threading.active_count() == before
    pool.close()


def test_an_exit_report_survives_the_pipe() -> None:
    exit_report = ExitReport(-11, 300 << 20, 1.25)
    assert ExitReport.unpacked(exit_report.packed()) == exit_report
