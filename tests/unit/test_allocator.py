"""Test that memory that was freed in pieces is returned to the system."""

from glas.engines.allocator import Trimming
from glas.recognition.loaded import resident_bytes

MB = 1 << 20
PIECE = 100_000  # bytes; less than what the allocator returns at once


def fragments(n_mb: int) -> list[bytearray]:
    """Allocate so many megabytes in small pieces, and free 99 of 100 pieces."""
    pieces = [bytearray(PIECE) for _ in range(n_mb * MB // PIECE)]
    return pieces[::100]


def resident_mb() -> float:
    return (resident_bytes() or 0) / MB


def test_free_memory_between_used_pieces_is_returned_once_in_a_while() -> None:
    trimming = Trimming(every_s=3600)
    kept = fragments(100)
    before = resident_mb()
    trimming.after_work()
    assert before - resident_mb() > 60
    kept += fragments(100)
    before = resident_mb()
    trimming.after_work()  # too soon
    assert before - resident_mb() < 30
    Trimming().after_work()
    assert before - resident_mb() > 60
    assert len(kept) > 10
