"""The program of a decoder process: a process (the warden) that forks one confined process for every file.

The owner is the process that needs decoded files, such as nn_service or `glas transcribe`. The owner starts the warden
once. The warden forks a decoder for each file.

    owner ── starts, once ──▶ warden: loads PyAV, never reads a file
                                └── forks, for each file ──▶ decoder: reads, decodes, answers, ends

A fork takes one or two milliseconds; a new interpreter takes half a second. A decoder ends after one file. So a
malicious file that runs its own code in the decoder cannot reach the recording of another person.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import struct
import sys
import wave
from contextlib import suppress
from io import BytesIO

import av

from glas.audio.confinement import confine, die_with_parent, leave_the_network, offers_filter
from glas.audio.decode import decode_blocks
from glas.audio.limits import DecodeLimits
from glas.audio.wire import (
    END,
    ERROR,
    FRAME,
    READY,
    READY_UNFILTERED,
    REQUEST,
    SAMPLES,
    ExitReport,
    error_body,
    read_exactly,
    write_all,
)
from glas.domain.errors import GlasError

REQUESTS, ANSWERS, STDERR = 0, 1, 2

# Exit codes of a decoder. The warden ends, too, when a decoder ends with the last of these codes.
WELL, FAULT, NO_MORE_REQUESTS = 0, 70, 71

_NOT_FOR_DECODING = ("av.__main__", "av.datasets")
_CODECS_WARMED = ("opus", "vorbis", "mp3float", "aac", "flac", "alac", "pcm_s16le")


def main(argv: list[str]) -> None:
    """Decode the files that the owner sends, until the owner closes the pipe.

    Args:
        argv: a list with one JSON object. Its field `limits` contains the values of `DecodeLimits`, and its field
            `exit_reports` contains the descriptor of the pipe for exit reports (`glas.audio.wire`).
    """
    task = json.loads(argv[0])
    # The owner decides when to stop; an interrupt from the keyboard is meant for the owner.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_the_network()
    warm_up()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    must_filter = offers_filter()
    write_all(task["exit_reports"], [READY if must_filter else READY_UNFILTERED])
    limits = DecodeLimits(**task["limits"])
    serve(limits, exit_reports=task["exit_reports"], nowhere=nowhere, must_filter=must_filter)


def warm_up() -> None:
    """Load, before any fork, everything that decoders need: modules, tables of the codecs, caches.

    Then no decoder has to load anything, which saves time. Loading before the fork is also necessary: PyAV imports some
    of its modules only when they are needed, but a confined process cannot open files, so it cannot import modules.
    """
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in _NOT_FOR_DECODING:
            importlib.import_module(module.name)
    silence = BytesIO()
    with wave.open(silence, "wb") as writer:
        writer.setparams((2, 2, 48_000, 0, "NONE", ""))
        writer.writeframes(bytes(4_000))
    for data in (silence.getvalue(), b"OggS"):  # the second file loads what errors need
        with suppress(GlasError):
            list(decode_blocks(data, DecodeLimits()))
    for name in _CODECS_WARMED:
        # A build of FFmpeg may lack one of these codecs, and still decodes the others.
        with suppress(ValueError, av.error.FFmpegError):
            av.CodecContext.create(name, "r").open()
    # Garbage collection in a fork would write to every memory page that was loaded, and so copy it.
    gc.collect()
    gc.freeze()


def serve(limits: DecodeLimits, *, exit_reports: int, nowhere: int, must_filter: bool) -> None:
    """Fork a decoder for each file and report the decoder's end to the owner, until the owner sends no more files."""
    warden = os.getpid()
    while True:
        child = os.fork()
        if child == 0:
            os.close(exit_reports)
            # Standard error stays open, so that its number is not used for another file, and leads to /dev/null.
            os.dup2(nowhere, STDERR)
            _run_decoder(limits, warden=warden, must_filter=must_filter)
        _, status, usage = os.wait4(child, 0)
        exit_code = os.waitstatus_to_exitcode(status)
        if exit_code == NO_MORE_REQUESTS:
            return
        unit = 1 if sys.platform == "darwin" else 1024
        exit_report = ExitReport(exit_code, usage.ru_maxrss * unit, usage.ru_utime + usage.ru_stime)
        try:
            write_all(exit_reports, [exit_report.packed()])
        except BrokenPipeError:
            return


def _run_decoder(limits: DecodeLimits, *, warden: int, must_filter: bool) -> None:
    """Decode one file in a forked process, then end the process; this function does not return."""
    exit_code = FAULT
    try:
        die_with_parent(warden)
        exit_code = _answer_one(limits, must_filter=must_filter)
    except BrokenPipeError:
        exit_code = WELL  # the owner no longer wants the answer
    finally:
        # The exit handlers and output buffers belong to the warden and must not run here, too.
        os._exit(exit_code)


def _answer_one(limits: DecodeLimits, *, must_filter: bool) -> int:
    header = read_exactly(REQUESTS, REQUEST.size)
    if len(header) < REQUEST.size:
        return NO_MORE_REQUESTS
    (length,) = REQUEST.unpack(header)
    confine(limits, input_bytes=length, must_filter=must_filter)
    try:
        data = read_exactly(REQUESTS, length)
        n_samples = 0
        for block in decode_blocks(data, limits):
            n_samples += len(block)
            _answer(SAMPLES, block.tobytes())
        _answer(END, struct.pack("<Q", n_samples))
    except GlasError as error:
        _answer(ERROR, error_body(error.code, error.message))
    except MemoryError:
        # A part of the request may be unread, so the pipe cannot be used again; this exit code reports this.
        _answer(ERROR, error_body("audio_decode_limit", "The file asked for more memory than it may have"))
        return FAULT
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the owner must learn of our own faults, too
        _answer(ERROR, error_body("internal_error", f"{type(error).__name__}: {error}"))
        return FAULT
    return WELL


def _answer(kind: bytes, body: bytes) -> None:
    write_all(ANSWERS, [FRAME.pack(kind, len(body)), body])
