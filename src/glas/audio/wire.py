"""What a decoder process and its owner say to each other, over three pipes.

    request  (owner → decoder)   length of the file, then the file
    answer   (decoder → owner)   frames: kind, length, body. SAMPLES (float32 little-endian) …, then END or ERROR
    verdict  (warden → owner)    READY or READY_UNFILTERED, once; then how each decoder ended, and what it took

The verdict has a pipe of its own, which the process that reads a stranger's file does not hold: whatever that file
makes of it, it cannot claim to have ended and wait for the next person's recording.
"""

import json
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

REQUEST = struct.Struct("<Q")
FRAME = struct.Struct("<cI")
VERDICT = struct.Struct("<iQd")

SAMPLES = b"S"
END = b"E"
ERROR = b"X"
READY = b"R"
# The system offers no filter of system calls; the other limits hold.
READY_UNFILTERED = b"U"

# One second of float32 at 16 kHz is 64,000 bytes; an error message has a few hundred.
MAX_BODY_BYTES = 1 << 17

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one decoding process ended.

    Attributes:
        exit_code: as in `subprocess`: 0 is well, a negative number is the signal that killed it.
        peak_memory_bytes: the most memory that was resident.
        cpu_s: processor seconds, user and system.
    """

    exit_code: int
    peak_memory_bytes: int
    cpu_s: float

    def packed(self) -> bytes:
        """The bytes that travel."""
        return VERDICT.pack(self.exit_code, self.peak_memory_bytes, self.cpu_s)

    @classmethod
    def unpacked(cls, body: bytes) -> "Verdict":
        """The same verdict on the other side."""
        return cls(*VERDICT.unpack(body))


def error_body(code: str, message: str) -> bytes:
    """An error as it travels."""
    return json.dumps([code, message[:500]]).encode()


def read_error(body: bytes) -> tuple[str, str]:
    """`(code, message)` of an error that travelled; the sender is not trusted to have kept the form."""
    try:
        code, message = json.loads(body)
    except (ValueError, TypeError):
        return "audio_corrupt", "The decoder's answer was not understood"
    return str(code), str(message)


def read_exactly(descriptor: int, count: int) -> bytes:
    """`count` bytes from a blocking descriptor, fewer only at its end."""
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
