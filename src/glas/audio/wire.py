"""The protocol, over three pipes, between a decoder process and its owner (the process that needs the samples).

    request      (owner → decoder)   length of the file, then the file
    answer       (decoder → owner)   frames: kind, length, body. SAMPLES (float32 little-endian) …, then END or ERROR
    exit report  (warden → owner)    READY or READY_UNFILTERED (no filter of system calls), then an `ExitReport` for
                                     each file

The warden is the process that forks a decoder for each file (`glas.audio.decoder_process`). The exit report has a
separate pipe, and the decoder cannot write to this pipe. Otherwise a malicious file that runs its own code in the
decoder could report that the decoder has ended, stay in memory, and read the recording of another person.
"""

import json
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

REQUEST = struct.Struct("<Q")
FRAME = struct.Struct("<cI")
EXIT_REPORT = struct.Struct("<iQd")

SAMPLES = b"S"
END = b"E"
ERROR = b"X"
READY = b"R"
# The system offers no filter of system calls; the other limits apply.
READY_UNFILTERED = b"U"

# One second of float32 at 16 kHz is 64,000 bytes; an error message has a few hundred.
MAX_BODY_BYTES = 1 << 17

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ExitReport:
    """How one decoder (the process for one file) ended.

    Attributes:
        exit_code: as in `subprocess`: 0 means success, a negative number is the signal that killed the process.
        peak_memory_bytes: the largest amount of physical memory that the process used.
        cpu_s: processor time in seconds: the sum of user time and system time.
    """

    exit_code: int
    peak_memory_bytes: int
    cpu_s: float

    def packed(self) -> bytes:
        """Return the exit report as bytes."""
        return EXIT_REPORT.pack(self.exit_code, self.peak_memory_bytes, self.cpu_s)

    @classmethod
    def unpacked(cls, body: bytes) -> "ExitReport":
        """Read an exit report from bytes."""
        return cls(*EXIT_REPORT.unpack(body))


def error_body(code: str, message: str) -> bytes:
    """Return the body of an ERROR frame."""
    return json.dumps([code, message[:500]]).encode()


def read_error(body: bytes) -> tuple[str, str]:
    """Return `(code, message)` of an ERROR frame.

    The body is not trusted: a malformed body is read as the error for a corrupt file.
    """
    try:
        code, message = json.loads(body)
    except (ValueError, TypeError):
        return "audio_corrupt", "The decoder's answer was not understood"
    return str(code), str(message)


def read_exactly(descriptor: int, count: int) -> bytes:
    """Read `count` bytes from a blocking descriptor; return fewer bytes only if the data ends before."""
    pieces = []
    while count:
        piece = os.read(descriptor, min(count, _READ_BYTES))
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def write_all(descriptor: int, parts: Iterable[bytes]) -> None:
    """Write every byte of `parts` to a blocking descriptor."""
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
